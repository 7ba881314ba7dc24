// Starts one server for each setup that comes in on the first line of standard input, prints their ports as one line of
// JSON, and ends when standard input ends. An adapter exports `listen(setup)`, which resolves to a listening http.Server.
import { createInterface } from 'node:readline'

const { listen } = await import(`./${process.argv[2]}.mjs`)
const input = createInterface({ input: process.stdin })
const line = await new Promise((resolve) => input.once('line', resolve))
const servers = []
for (const setup of JSON.parse(line)) servers.push(await listen(setup))
console.log(JSON.stringify(servers.map((server) => server.address().port)))
input.once('close', () => process.exit(0))
