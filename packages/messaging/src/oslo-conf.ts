import { ConfigurationError, isSecretKey } from '@hermod/kernel'

/** One `key = value` of a file, with the number of the line that it begins on. */
export interface ConfEntry {
  /** As written, but for outer quotes: references are resolved when it is asked for. */
  readonly value: string
  readonly line: number
}

/** The entries of a file by section and key; see {@link sectionName} and {@link keyName}. */
export type ConfSections = ReadonlyMap<string, ReadonlyMap<string, readonly ConfEntry[]>>

/** `\$` is the older way to write `$$`. */
const REFERENCE = /\\\$|\$(?:\$|([_a-z][._a-z0-9]*)|\{([_a-z][._a-z0-9]*)\})/gi

const TRUE = ['true', '1', 'on', 'yes']
const FALSE = ['false', '0', 'off', 'no']

/**
 * The options of a service's configuration file.
 *
 * Values are asked for by section and name; several names are tried in order, for options were renamed. `$name`,
 * `${name}` and `${section.name}` stand for other options of the same file (of the same section, else of
 * `[DEFAULT]`), `$$` for a dollar sign. Errors name the file, the line and the option, never a value.
 *
 * @source oslo.config cfg.py ConfigOpts._substitute, types.py Boolean, Integer, List
 */
export class OsloConf {
  /** The path of the file, or what stands for it in errors. */
  readonly source: string
  readonly #sections: ConfSections

  constructor(source: string, sections: ConfSections) {
    this.source = source
    this.#sections = sections
  }

  /**
   * The last value of the first of these names that the section sets.
   * @throws {ConfigurationError} E_CONFIG when it refers to an option that the file lacks, or to itself.
   */
  get(section: string, ...names: readonly [string, ...string[]]): string | undefined {
    return this.#read(section, names, (value) => value)
  }

  /** All values of an option that may be repeated, in the order of the file. */
  getAll(section: string, name: string): readonly string[] {
    const entries = this.#entries(section, name)
    return entries.map((entry) => this.#resolve(entry, section, name, []))
  }

  /** @throws {ConfigurationError} E_CONFIG for a value other than true, false, 1, 0, on, off, yes and no. */
  getBoolean(section: string, ...names: readonly [string, ...string[]]): boolean | undefined {
    return this.#read(section, names, (value, fail) => {
      const word = value.toLowerCase()
      if (TRUE.includes(word)) return true
      return FALSE.includes(word) ? false : fail('is neither true nor false')
    })
  }

  /** @throws {ConfigurationError} E_CONFIG for anything but a decimal integer. */
  getInteger(section: string, ...names: readonly [string, ...string[]]): number | undefined {
    return this.#read(section, names, (value, fail) => {
      const number = Number(value)
      return /^\s*[+-]?\d+\s*$/.test(value) && Number.isSafeInteger(number) ? number : fail('is no integer')
    })
  }

  /** @throws {ConfigurationError} E_CONFIG for a value that is none of `choices`, in any letter case. */
  getChoice<Choice extends string>(
    choices: readonly Choice[],
    section: string,
    ...names: readonly [string, ...string[]]
  ): Choice | undefined {
    return this.#read(section, names, (value, fail) => {
      const choice = choices.find((candidate) => candidate.toLowerCase() === value.toLowerCase())
      return choice ?? fail(`is none of ${choices.join(', ')}`)
    })
  }

  /** The parts of a value between commas, without blanks around them; empty ones are left out. */
  getList(section: string, ...names: readonly [string, ...string[]]): readonly string[] | undefined {
    return this.#read(section, names, (value) =>
      value
        .split(',')
        .map((part) => part.trim())
        .filter((part) => part !== ''),
    )
  }

  /**
   * The last value of the first of these names that the section sets, as `convert` makes it.
   * @param convert calls `fail` with what is wrong, for an error that names file, line and option.
   * @throws {ConfigurationError} E_CONFIG
   */
  getAs<T>(
    convert: (value: string, fail: (problem: string) => never) => T,
    section: string,
    ...names: readonly [string, ...string[]]
  ): T | undefined {
    return this.#read(section, names, convert)
  }

  #read<T>(
    section: string,
    names: readonly string[],
    convert: (value: string, fail: (problem: string) => never) => T,
  ): T | undefined {
    for (const name of names) {
      const entry = this.#entries(section, name).at(-1)
      if (entry === undefined) continue
      return convert(this.#resolve(entry, section, name, []), (problem) => {
        throw this.#error(entry, section, name, problem)
      })
    }
    return undefined
  }

  #entries(section: string, name: string): readonly ConfEntry[] {
    return this.#sections.get(sectionName(section))?.get(keyName(name)) ?? []
  }

  /** @param asking the entries whose references led here: one that comes again refers to itself. */
  #resolve(entry: ConfEntry, section: string, name: string, asking: readonly ConfEntry[]): string {
    if (asking.includes(entry)) throw this.#error(entry, section, name, 'refers to itself')
    return entry.value.replaceAll(REFERENCE, (_, plain: string | undefined, braced: string | undefined) => {
      const reference = plain ?? braced
      if (reference === undefined) return '$'
      const dot = reference.indexOf('.')
      const places: readonly (readonly [string, string])[] = [
        dot < 0 ? [section, reference] : [reference.slice(0, dot), reference.slice(dot + 1)],
        ['DEFAULT', reference],
      ]
      for (const [otherSection, otherName] of places) {
        const other = this.#entries(otherSection, otherName).at(-1)
        if (other !== undefined) return this.#resolve(other, otherSection, otherName, [...asking, entry])
      }
      // Where a dollar sign of a password was meant for itself, what follows it is a part of the password.
      const what = isSecretKey(name) || name.endsWith('url') ? 'an option' : `'$${reference}'`
      throw this.#error(
        entry,
        section,
        name,
        `refers to ${what} that the file does not set (a dollar sign itself is written $$)`,
      )
    })
  }

  #error(entry: ConfEntry, section: string, name: string, problem: string): ConfigurationError {
    return new ConfigurationError([
      `${this.source}:${entry.line}: option '${name}' of [${section}] ${problem}`,
    ])
  }
}

/** Sections are one whatever their letter case; only `DEFAULT` is itself. */
export function sectionName(section: string): string {
  return section === 'DEFAULT' ? section : section.toLowerCase()
}

/** `-` and `_` in the name of an option are one. */
export function keyName(key: string): string {
  return key.replaceAll('-', '_')
}
