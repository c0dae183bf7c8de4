import { fileURLToPath } from 'node:url'
import { startPython, type PythonPeer } from '@hermod/testkit'

/**
 * Starts one of the Python programs of the interop tests, for example `oslo_notify`.
 * @param python the path of another interpreter, with another release of the libraries.
 */
export function startPeer(name: string, args: object = {}, python?: string): PythonPeer {
  const script = fileURLToPath(new URL(`../interop/peers/${name}.py`, import.meta.url))
  return startPython(script, [JSON.stringify(args)], python)
}
