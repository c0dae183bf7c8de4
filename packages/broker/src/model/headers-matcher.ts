import { preconditionFailed } from '../amqp-error.ts'
import type { Binding, Destination } from './binding.ts'
import { erlangTerm } from './erlang-text.ts'
import { sameData } from './field-equality.ts'
import type { Fields } from './field.ts'
import type { Matcher, Subject } from './matcher.ts'

const MODES: ReadonlySet<unknown> = new Set(['all', 'any', 'all-with-x', 'any-with-x'])

/** @throws {AmqpError} 406 @source rabbit_exchange_type_headers:validate_binding */
export function checkHeadersBinding(args: Fields): void {
  const mode = args.get('x-match')
  if (mode === undefined) return
  if (mode.type !== 'longstr') {
    throw preconditionFailed(
      `Invalid x-match field type ${mode.type} (value ${erlangTerm(mode)}); expected longstr`,
    )
  }
  if (!MODES.has(mode.value)) {
    throw preconditionFailed(
      `Invalid x-match field value ${erlangTerm(mode)}; expected all, any, all-with-x, or any-with-x`,
    )
  }
}

/**
 * Whether headers have what a binding asks for: all of it or any, without fields named `x-…` or with them. A field of
 * type void asks for its name alone; otherwise the values must be equal. Nothing asked for is met by `all` and not by
 * `any`.
 *
 * @source rabbit_exchange_type_headers:headers_match
 */
export function headersMatch(args: Fields, headers: Fields): boolean {
  const mode = (args.get('x-match')?.value ?? 'all') as string
  const any = mode.startsWith('any')
  const withX = mode.endsWith('-with-x')
  for (const [name, asked] of args) {
    if (name === 'x-match' || (name.startsWith('x-') && !withX)) continue
    const field = headers.get(name)
    const met = field !== undefined && (asked.type === 'void' || sameData(asked.value, field.value))
    if (met === any) return any
  }
  return !any
}

/** Bindings whose arguments the headers meet. */
export class HeadersMatcher implements Matcher {
  readonly #bindings = new Set<Binding>()

  add(binding: Binding): void {
    this.#bindings.add(binding)
  }

  remove(binding: Binding): void {
    this.#bindings.delete(binding)
  }

  match(subject: Subject, found: (destination: Destination) => void): void {
    if (this.#bindings.size === 0) return
    const headers = subject.headers()
    for (const binding of this.#bindings) {
      if (headersMatch(binding.arguments, headers)) found(binding.destination)
    }
  }
}
