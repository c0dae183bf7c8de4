import fc from 'fast-check'

/** First and last numbers of the characters that steer a terminal or reorder text. */
const STEERING_NUMBERS: readonly (readonly [number, number])[] = [
  [0x00, 0x1f],
  [0x7f, 0x9f],
  [0x061c, 0x061c],
  [0x200e, 0x200f],
  [0x2028, 0x202e],
  [0x2066, 0x2069],
  [0xe0000, 0xe007f],
]

/** Texts of any characters in which steering ones are frequent. */
export const hostileText: fc.Arbitrary<string> = fc.string({
  unit: fc
    .oneof(
      ...STEERING_NUMBERS.map(([min, max]) => fc.integer({ min, max })),
      fc.integer({ min: 0x20, max: 0x7e }),
      fc.nat(0x10ffff),
    )
    .map((code) => String.fromCodePoint(code)),
  minLength: 1,
  maxLength: 40,
})

/** Whether a terminal would do anything with the text but show it. */
export function steers(text: string): boolean {
  return [...text.matchAll(/./gsu)].some(([character]) => {
    const code = character.codePointAt(0) as number
    return STEERING_NUMBERS.some(([first, last]) => code >= first && code <= last)
  })
}
