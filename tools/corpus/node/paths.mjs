// Paths come with their parameters as {name}; Node.js routers want :name.
export const params = (path) => path.replace(/\{(\w+)\}/g, ':$1')

// match returns the parameters of a path, or undefined: for servers that have no router of their own.
export function match (pattern, path) {
  const found = new RegExp('^' + pattern.replace(/\{(\w+)\}/g, '(?<$1>[^/]+)') + '$').exec(path)
  return found && { ...found.groups }
}
