import { NoteCount } from './note-count.ts'

/** How many requests a bare server has at once: as many as Hermod and oslo.messaging work on by default. */
export const BARE_PREFETCH = 64

/** What a bare server answers to the request of this name; undefined: nothing, it is a cast. The body is all there is. */
export function bareMethods(): (
  method: string | undefined,
  body: string,
) => Promise<string> | string | undefined {
  const notes = new NoteCount()
  return (method, body) => {
    switch (method) {
      case 'echo':
        return body
      case 'note':
        notes.add()
        return undefined
      case 'noted':
        return notes.reached(Number(body)).then(() => '')
      default:
        throw new Error(`no method is named '${method}'`)
    }
  }
}
