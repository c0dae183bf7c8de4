import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'

/** The first line that a program prints. Rejects when it ends without one. */
export async function firstLine(output: Readable): Promise<string> {
  for await (const line of createInterface({ input: output })) return line
  throw new Error('the program ended before it was ready')
}
