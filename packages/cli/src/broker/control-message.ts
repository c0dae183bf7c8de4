import type { Socket } from 'node:net'
import { parsePythonJson, type JsonObject } from '@hermod/kernel'

/** What a running broker can be asked. */
export type ControlRequest = 'status' | 'stop'

/** A message is one line of JSON, and none is longer than this. */
const LONGEST_BYTES = 65_536

/** The one line that a socket brings, as an object; undefined for anything else. */
export function readMessage(socket: Socket): Promise<JsonObject | undefined> {
  return new Promise((resolve) => {
    let text = ''
    socket.setEncoding('utf8')
    socket.on('data', (chunk: string) => {
      text += chunk
      const end = text.indexOf('\n')
      if (end >= 0) resolve(objectOf(text.slice(0, end)))
      else if (text.length > LONGEST_BYTES) socket.destroy()
    })
    socket.on('close', () => resolve(undefined))
  })
}

export const messageLine = (message: JsonObject): string => `${JSON.stringify(message)}\n`

function objectOf(line: string): JsonObject | undefined {
  try {
    const value = parsePythonJson(line)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined
  } catch {
    return undefined
  }
}
