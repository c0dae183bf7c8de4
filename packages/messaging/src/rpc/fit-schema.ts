import { ValidationError } from '@hermod/kernel'
import type { StandardSchema, StandardSchemaIssue } from './standard-schema.ts'

/**
 * What a schema makes of a value.
 *
 * @param what named in the error, for example `the arguments of 'add'`.
 * @throws {ValidationError} E_VALIDATION with each problem and its path, when the value does not fit. What the schema
 *   itself throws comes through.
 */
export async function fitSchema<Output>(
  schema: StandardSchema<unknown, Output>,
  value: unknown,
  what: string,
): Promise<Output> {
  const answer = await schema['~standard'].validate(value)
  if (answer.issues === undefined) return answer.value
  const paths = answer.issues.map(pathOf)
  const issues = answer.issues.map(({ message }, index) => issueText(paths[index] ?? '', message))
  throw new ValidationError(`${what} do not fit the schema`, issues, paths)
}

/** `ports.0.id`; empty for the value itself. */
function pathOf({ path = [] }: StandardSchemaIssue): string {
  return path.map((part) => String(typeof part === 'object' ? part.key : part)).join('.')
}

/** The problem, with the path to it where it is not the value itself: `at ports.0.id: expected a string`. */
function issueText(path: string, message: string): string {
  return path === '' ? message : `at ${path}: ${message}`
}
