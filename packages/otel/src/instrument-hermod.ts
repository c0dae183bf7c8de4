import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import {
  metrics,
  propagation,
  trace,
  type MeterProvider,
  type TextMapPropagator,
  type TracerProvider,
} from '@opentelemetry/api'
import { ConnectionMetrics } from './connection-metrics.ts'
import type { ObservedConnection, ObservedTransport } from './observed-connections.ts'
import type { ObservedDispatch, ObservedSend } from './observed-work.ts'
import { SCHEMA_URL } from './semantic-conventions.ts'
import { WorkMetrics } from './work-metrics.ts'
import { WorkRecorder } from './work-recorder.ts'

/** What spans and metrics are made with; by default what is registered with `@opentelemetry/api`. */
export interface InstrumentationOptions {
  readonly tracerProvider?: TracerProvider | undefined
  readonly meterProvider?: MeterProvider | undefined
  /** Puts contexts into headers and takes them out; an SDK registers that of W3C, without one nothing is propagated. */
  readonly propagator?: TextMapPropagator | undefined
}

/** The instrumentation that {@link instrumentHermod} began. */
export interface Instrumentation extends Disposable {
  /** Ends it. What is under way then has no span any more; what was put into headers travels on. */
  stop(): void
}

const SCOPE = '@hermod/otel'

/**
 * Makes OpenTelemetry spans and metrics of what Hermod does in this process, until it is stopped: one span for each call,
 * cast and notification that is sent, and one for each that is dispatched. The context travels in the headers of the
 * message, so that what is dispatched is a child of what was sent, in whichever process, and what a method sends is a
 * child of its dispatch.
 *
 * The SDK is to be registered first, with a context manager; without one spans have no parent in their own process.
 * Neither arguments, payloads nor texts of errors are recorded.
 */
export function instrumentHermod(options: InstrumentationOptions = {}): Instrumentation {
  const tracer = (options.tracerProvider ?? trace.getTracerProvider()).getTracer(SCOPE, undefined, {
    schemaUrl: SCHEMA_URL,
  })
  const meter = (options.meterProvider ?? metrics.getMeterProvider()).getMeter(SCOPE, undefined, {
    schemaUrl: SCHEMA_URL,
  })
  const work = new WorkRecorder(tracer, options.propagator ?? propagation, new WorkMetrics(meter))
  const connections = new ConnectionMetrics(meter)
  const listeners: Readonly<Record<string, (message: unknown) => void>> = {
    'hermod.messaging.send.start': (send) => work.beginSend(send as ObservedSend),
    'hermod.messaging.send.end': (send) => work.endSend(send as ObservedSend, false),
    'hermod.messaging.send.error': (send) => work.endSend(send as ObservedSend, true),
    'hermod.messaging.dispatch.start': (dispatch) => work.beginDispatch(dispatch as ObservedDispatch),
    'hermod.messaging.dispatch.end': (dispatch) => work.endDispatch(dispatch as ObservedDispatch, false),
    'hermod.messaging.dispatch.error': (dispatch) => work.endDispatch(dispatch as ObservedDispatch, true),
    'hermod.messaging.transport': (message) => connections.transport(message as ObservedTransport),
    'hermod.amqp.connection': (message) => connections.connection(message as ObservedConnection),
  }
  for (const [channel, listener] of Object.entries(listeners)) subscribe(channel, listener)
  const stop = (): void => {
    for (const [channel, listener] of Object.entries(listeners)) unsubscribe(channel, listener)
  }
  return { stop, [Symbol.dispose]: stop }
}
