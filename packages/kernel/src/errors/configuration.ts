import { HermodError } from './base.ts'

/** Options, flags or a file that cannot be used: every problem found, not only the first. */
export class ConfigurationError extends HermodError {
  /** Each problem in a sentence of its own. */
  readonly issues: readonly string[]

  constructor(issues: readonly string[], options: { cause?: unknown } = {}) {
    super('E_CONFIG', issues.join('; '), { ...options, details: { issues } })
    this.issues = issues
  }
}

/** A transport or broker URL that cannot be understood. The URL itself is never part of the text: it may hold a password. */
export class InvalidUrlError extends HermodError {
  constructor(problem: string, options: { cause?: unknown } = {}) {
    super('E_URL', problem, options)
  }
}

/** The peer or driver in use cannot do what was asked. */
export class UnsupportedFeatureError extends HermodError {
  constructor(feature: string, options: { cause?: unknown } = {}) {
    super('E_UNSUPPORTED', feature, options)
  }
}
