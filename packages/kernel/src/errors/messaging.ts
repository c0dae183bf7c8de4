import { HermodError, type HermodErrorOptions } from './base.ts'

/** A target that lacks what the operation needs, or asks for what it cannot do. */
export class InvalidTargetError extends HermodError {
  /** @param target as text. */
  constructor(problem: string, target: string) {
    super('E_TARGET', `${problem}: ${target}`, { details: { target } })
  }
}

/** A message could not be handed to the peer in the attempts that it had. */
export class MessageDeliveryError extends HermodError {
  constructor(message: string, options: HermodErrorOptions = {}) {
    super('E_DELIVERY', message, options)
  }
}

/** The client may not send this version of an interface: see its option `versionCap`. */
export class RpcVersionCapError extends HermodError {
  constructor(version: string | undefined, versionCap: string) {
    super(
      'E_VERSION_CAP',
      `the client may send versions up to ${versionCap}, not ${version ?? 'a request without one'}`,
      { details: { version, versionCap } },
    )
  }
}

/** Arguments or a result do not fit the schema that was given for them. */
export class ValidationError extends HermodError {
  /** Each problem in a sentence of its own, with the path to it, in the words of the schema's library: some quote values. */
  readonly issues: readonly string[]
  /** The paths alone, for logs. */
  readonly paths: readonly string[]

  constructor(what: string, issues: readonly string[], paths: readonly string[] = []) {
    super('E_VALIDATION', `${what}: ${issues.join('; ')}`, { details: { issues } })
    this.issues = issues
    this.paths = paths
  }
}
