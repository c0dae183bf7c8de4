import { readFile } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import { ConfigurationError, HermodError, parsePythonJson, type JsonObject } from '@hermod/kernel'
import type { MembersSource } from './argument-members.ts'

/** The members that a source stands for. @throws {ConfigurationError} E_CONFIG as {@link readJsonObject}. */
export async function readMembers(source: MembersSource, stdin: Readable): Promise<JsonObject> {
  return source.type === 'given' ? source.members : readJsonObject(source.path, 'the arguments', stdin)
}

/**
 * Reads a file that holds one JSON object.
 *
 * @param path `-` is stdin.
 * @param what named in errors, such as `the arguments`.
 * @throws {ConfigurationError} E_CONFIG when it cannot be read or holds anything else; never with its content.
 */
export async function readJsonObject(path: string, what: string, stdin: Readable): Promise<JsonObject> {
  const source = path === '-' ? 'stdin' : path
  let text: string
  try {
    text = path === '-' ? await readAll(stdin) : await readFile(path, 'utf8')
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? String(error)
    throw new ConfigurationError([`${what} in ${source} cannot be read (${reason})`], { cause: error })
  }
  try {
    const value = parsePythonJson(text)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value
  } catch (error) {
    if (!(error instanceof HermodError)) throw error
    throw new ConfigurationError([`${what} in ${source} is no JSON (${error.message})`], { cause: error })
  }
  throw new ConfigurationError([`${what} in ${source} is JSON, but no object`])
}

async function readAll(stream: Readable): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(Buffer.from(chunk as Uint8Array | string))
  return Buffer.concat(chunks).toString('utf8')
}
