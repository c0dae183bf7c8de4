import {
  context,
  defaultTextMapGetter,
  defaultTextMapSetter,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
  type Attributes,
  type Context,
  type Span,
  type TextMapPropagator,
  type Tracer,
} from '@opentelemetry/api'
import type { ObservedDispatch, ObservedSend } from './observed-work.ts'
import { ATTRIBUTE, OTHER } from './semantic-conventions.ts'
import {
  attributesOf,
  detailsOf,
  failureDetails,
  failureOf,
  isUnknownMethod,
  spanNameOf,
  type ObservedWork,
  type Operation,
} from './work-attributes.ts'
import type { Outcome, WorkMetrics } from './work-metrics.ts'

/** How a context is put into headers and taken out of them. */
export type Propagator = Pick<TextMapPropagator, 'inject' | 'extract'>

/** What is remembered of a piece of work that goes on. */
interface Begun {
  readonly span: Span
  readonly attributes: Attributes
  readonly startedAt: number
}

const PROCESS: Operation = { name: 'process', type: 'process' }

/** Makes one span, and the figures of one, out of the beginning and the end of a piece of work. */
export class WorkRecorder {
  readonly #tracer: Tracer
  readonly #propagator: Propagator
  readonly #metrics: WorkMetrics
  /** Work that was begun before we looked, or whose end never comes, costs nothing here. */
  readonly #begun = new WeakMap<object, Begun>()

  constructor(tracer: Tracer, propagator: Propagator, metrics: WorkMetrics) {
    this.#tracer = tracer
    this.#propagator = propagator
    this.#metrics = metrics
  }

  /** A span under the one that is active, and its context in the headers. */
  beginSend(send: ObservedSend): void {
    const kind = send.kind === 'call' ? SpanKind.CLIENT : SpanKind.PRODUCER
    const within = this.#begin(send, { name: send.kind, type: 'send' }, kind, context.active())
    this.#propagator.inject(within, send.headers, defaultTextMapSetter)
  }

  /** A span under the one that the sender put into the headers, active while the method runs. */
  beginDispatch(dispatch: ObservedDispatch): void {
    const kind = dispatch.kind === 'call' ? SpanKind.SERVER : SpanKind.CONSUMER
    // What is active here is whatever the connection was once opened in: it has nothing to do with this message.
    const remote = this.#propagator.extract(ROOT_CONTEXT, dispatch.headers, defaultTextMapGetter)
    const within = this.#begin(dispatch, PROCESS, kind, remote)
    const outer = dispatch.within
    dispatch.within = <T>(work: () => T): T => {
      const inner = (): T => context.with(within, work)
      return outer === undefined ? inner() : outer(inner)
    }
  }

  endSend(send: ObservedSend, failed: boolean): void {
    const begun = this.#end(send)
    if (begun === undefined) return
    this.#metrics.sent(send, outcomeOf(begun, failed, send.error))
    finish(begun.span, failed, send.error)
  }

  endDispatch(dispatch: ObservedDispatch, failed: boolean): void {
    const begun = this.#end(dispatch)
    if (begun === undefined) return
    const outcome = outcomeOf(begun, failed, dispatch.error)
    if (failed && isUnknownMethod(dispatch.error)) {
      const unknown = { ...begun.attributes, [ATTRIBUTE.rpcMethod]: OTHER }
      this.#metrics.dispatched(dispatch, { ...outcome, attributes: unknown })
      begun.span.updateName(OTHER)
      begun.span.setAttributes({
        [ATTRIBUTE.rpcMethod]: OTHER,
        [ATTRIBUTE.rpcMethodOriginal]: dispatch.method,
      })
    } else {
      this.#metrics.dispatched(dispatch, outcome)
    }
    finish(begun.span, failed, dispatch.error)
  }

  #begin(work: ObservedWork, operation: Operation, kind: SpanKind, parent: Context): Context {
    const attributes = attributesOf(work, operation)
    const span = this.#tracer.startSpan(
      spanNameOf(work, operation),
      { kind, attributes: { ...attributes, ...detailsOf(work) } },
      parent,
    )
    this.#begun.set(work, { span, attributes, startedAt: performance.now() })
    return trace.setSpan(parent, span)
  }

  #end(work: ObservedWork): Begun | undefined {
    const begun = this.#begun.get(work)
    this.#begun.delete(work)
    return begun
  }
}

function outcomeOf({ attributes, startedAt }: Begun, failed: boolean, error: unknown): Outcome {
  return {
    durationMs: performance.now() - startedAt,
    attributes,
    failure: failed ? failureOf(error) : undefined,
  }
}

/** No text of an error: it may hold what the peer or the method put there. */
function finish(span: Span, failed: boolean, error: unknown): void {
  if (failed) {
    span.setAttributes({ ...failureOf(error), ...failureDetails(error) })
    span.setStatus({ code: SpanStatusCode.ERROR })
  }
  span.end()
}
