// What every client is told, and how it says which records it holds acknowledged: a line of their request ids.
import { readFileSync } from 'node:fs'

export const url = process.env.AUTHWATCH_URL
export const key = process.env.AUTHWATCH_KEY

export function records() {
  return readFileSync(process.env.RECORDS, 'utf8').trim().split('\n').map((line) => JSON.parse(line))
}

export function acknowledged(records) {
  for (const r of records) console.log(r.request_id)
}

export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
