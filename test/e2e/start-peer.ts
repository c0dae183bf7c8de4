import { fileURLToPath } from 'node:url'
import { startPython, type PythonPeer } from '@hermod/testkit'

/** Starts one of the Python programs of the interop tests, for example `oslo_notify`. */
export function startPeer(name: string, args: object = {}): PythonPeer {
  return startPython(fileURLToPath(new URL(`../interop/peers/${name}.py`, import.meta.url)), [
    JSON.stringify(args),
  ])
}
