/** Bytes as the specification spells them: ``hex`00 0a ce` ``; spaces and line breaks mean nothing. */
export function hex(spelled: TemplateStringsArray, ...parts: readonly (string | Uint8Array)[]): Buffer {
  const digits = spelled.raw.map((text, at) => {
    const part = parts[at]
    return (
      text + (part === undefined ? '' : typeof part === 'string' ? part : Buffer.from(part).toString('hex'))
    )
  })
  const whole = digits.join('').replaceAll(/\s/g, '')
  if (!/^(?:[0-9a-f]{2})*$/.test(whole)) throw new TypeError(`not hexadecimal: ${whole}`)
  return Buffer.from(whole, 'hex')
}
