import { ConfigurationError } from '@hermod/kernel'

/** The longest name or routing key on the wire: a short string. */
const LONGEST_NAME_BYTES = 255

/** Gathers what is wrong with an entity's definition, to say all of it at once. */
export class DefinitionCheck {
  readonly #entity: string
  readonly #issues: string[] = []

  /** @param entity named in every problem, for example `queue 'jobs'`. */
  constructor(entity: string) {
    this.#entity = entity
  }

  problem(text: string): void {
    this.#issues.push(`${this.#entity}: ${text}`)
  }

  /** The name, which must be there. */
  name(value: unknown): void {
    if (value === undefined) this.problem('the name is missing')
    else this.text('the name', value)
  }

  /** A name or a routing key. */
  text(what: string, value: unknown): void {
    if (value === undefined) return
    if (typeof value !== 'string') this.problem(`${what} is no text`)
    else if (Buffer.byteLength(value) > LONGEST_NAME_BYTES)
      this.problem(`${what} is longer than ${LONGEST_NAME_BYTES} bytes`)
  }

  flags(definition: object, names: readonly string[]): void {
    for (const name of names) {
      const value = (definition as Record<string, unknown>)[name]
      if (value !== undefined && typeof value !== 'boolean') this.problem(`${name} is neither true nor false`)
    }
  }

  choice(what: string, value: unknown, choices: readonly string[]): void {
    if (value !== undefined && !choices.includes(value as string))
      this.problem(`${what} is none of ${choices.join(', ')}`)
  }

  wholeNumber(what: string, value: unknown, least: number, most: number): void {
    if (value === undefined) return
    if (!Number.isInteger(value) || (value as number) < least || (value as number) > most)
      this.problem(`${what} is no whole number from ${least} to ${most}`)
  }

  table(what: string, value: unknown): void {
    if (value !== undefined && !isPlainObject(value)) this.problem(`${what} is no table of names and values`)
  }

  /** A field that means an argument, and the argument itself, cannot both be given. */
  clash(field: string, wireName: string, args: object | undefined): void {
    if (args !== undefined && isPlainObject(args) && Object.hasOwn(args, wireName))
      this.problem(`${field} and the argument '${wireName}' are the same; give one of them`)
  }

  /** What is not known is a slip of the pen, and would otherwise be left out without a word. */
  known(definition: object, names: readonly string[]): void {
    for (const name of Object.keys(definition)) {
      if (!names.includes(name)) this.problem(`there is no field '${name.slice(0, 64)}'`)
    }
  }

  /** @throws {ConfigurationError} E_CONFIG when there was a problem. */
  done(): void {
    if (this.#issues.length > 0) throw new ConfigurationError(this.#issues)
  }
}

export function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return (
    typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array)
  )
}
