import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { ConfigurationError } from '@hermod/kernel'
import { defineEndpoint } from '@hermod/messaging'

/** Where functions that are no endpoint's own are offered. */
export interface FunctionsTarget {
  readonly namespace: string | undefined
  readonly version: string | undefined
}

/**
 * Loads the endpoints of an ES module: its default export (one, or an array of them), or without one its exported
 * functions, which are one endpoint together, and each exported object.
 *
 * @throws {ConfigurationError} E_CONFIG when it cannot be loaded, offers nothing, or offers no functions for a `target`
 *   that was given.
 */
export async function loadHandlers(path: string, target: FunctionsTarget): Promise<readonly object[]> {
  const members = await imported(path)
  const hasTarget = target.namespace !== undefined || target.version !== undefined
  const { default: own, ...others } = members
  if (own !== undefined) {
    const endpoints = (Array.isArray(own) ? own : [own]) as readonly unknown[]
    const wrong = endpoints.findIndex((endpoint) => typeof endpoint !== 'object' || endpoint === null)
    if (wrong >= 0 || endpoints.length === 0)
      throw new ConfigurationError([
        `the default export of ${path} is no endpoint: export an object with methods, or an array of them`,
      ])
    if (hasTarget) throw targetless(path)
    return endpoints as readonly object[]
  }
  const functions = Object.entries(others).filter(([, member]) => typeof member === 'function')
  const classes = functions.filter(([, member]) => /^class\b/.test(String(member))).map(([name]) => name)
  if (classes.length > 0)
    throw new ConfigurationError([
      `${path} exports the class ${classes.join(', ')}; export an instance of it`,
    ])
  const objects = Object.values(others).filter(
    (member): member is object => typeof member === 'object' && member !== null,
  )
  if (functions.length === 0 && hasTarget) throw targetless(path)
  if (functions.length + objects.length === 0)
    throw new ConfigurationError([
      `${path} exports no functions and no objects, so there is nothing to serve`,
    ])
  return functions.length === 0
    ? objects
    : [defineEndpoint(Object.fromEntries(functions) as object, target), ...objects]
}

async function imported(path: string): Promise<Record<string, unknown>> {
  try {
    return (await import(pathToFileURL(resolve(path)).href)) as Record<string, unknown>
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'ERR_UNKNOWN_FILE_EXTENSION' && path.endsWith('ts'))
      throw new ConfigurationError(
        [
          `${path} is TypeScript, which this Node (${process.version}) does not run; use Node 22.18 or later, or give JavaScript`,
        ],
        { cause: error },
      )
    throw new ConfigurationError([`the handlers ${path} cannot be loaded (${message.split('\n', 1)[0]})`], {
      cause: error,
    })
  }
}

function targetless(path: string): ConfigurationError {
  return new ConfigurationError([
    `--namespace and --version are for functions, and ${path} exports endpoints; give each its own with defineEndpoint`,
  ])
}
