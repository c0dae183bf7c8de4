import { readFile } from 'node:fs/promises'
import { ConfigurationError } from '@hermod/kernel'

/**
 * Reads a file that an option names.
 *
 * @param what stands before the path in the error, for example `the TLS key in`.
 * @throws {ConfigurationError} E_CONFIG naming the file and why it cannot be read.
 */
export async function readTextFile(path: string, what?: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error'
    const file = what === undefined ? path : `${what} ${path}`
    throw new ConfigurationError([`${file} cannot be read (${code})`], { cause: error })
  }
}
