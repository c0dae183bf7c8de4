const CODES = {
  dim: 2,
  red: 31,
  green: 32,
  yellow: 33,
  blue: 34,
  magenta: 35,
  cyan: 36,
} as const

/** A look of text on a terminal. */
export type Look = keyof typeof CODES

/** Puts a text into a look. */
export type Paint = (text: string, look: Look | undefined) => string

/** Leaves texts as they are. */
export const plainPaint: Paint = (text) => text

/** Colours by the select-graphic-rendition sequences of ECMA-48. */
export const colourPaint: Paint = (text, look) =>
  look === undefined || text === '' ? text : `\u001b[${CODES[look]}m${text}\u001b[0m`

const SERVICE_LOOKS: readonly Look[] = ['cyan', 'magenta', 'blue', 'green', 'yellow']

/** The same look for the same service every time. */
export function serviceLook(service: string): Look {
  let hash = 0
  for (let at = 0; at < service.length; at++) hash = (hash * 31 + service.charCodeAt(at)) % 0x7fff_ffff
  return SERVICE_LOOKS[hash % SERVICE_LOOKS.length] as Look
}
