import { context, trace, type Attributes } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { W3CTraceContextPropagator } from '@opentelemetry/core'
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
  type DataPoint,
  type Histogram,
} from '@opentelemetry/sdk-metrics'
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
  type ReadableSpan,
} from '@opentelemetry/sdk-trace-base'
import { instrumentHermod, type Instrumentation } from '../src/index.ts'

/** A point of a metric: what it says of whom. */
export interface Point {
  readonly attributes: Attributes
  /** A count, or how many durations were recorded. */
  readonly count: number
  /** All durations together, seconds. */
  readonly sum: number | undefined
}

/** A process with an SDK that keeps everything in memory, and Hermod instrumented. */
export class Telemetry implements AsyncDisposable {
  readonly propagator = new W3CTraceContextPropagator()
  readonly instrumentation: Instrumentation
  readonly tracerProvider: BasicTracerProvider
  readonly meterProvider: MeterProvider
  readonly #spans = new InMemorySpanExporter()
  readonly #metrics = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)

  constructor() {
    context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
    this.tracerProvider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(this.#spans)] })
    const reader = new PeriodicExportingMetricReader({
      exporter: this.#metrics,
      exportIntervalMillis: 3_600_000,
    })
    this.meterProvider = new MeterProvider({ readers: [reader] })
    this.instrumentation = instrumentHermod({
      tracerProvider: this.tracerProvider,
      meterProvider: this.meterProvider,
      propagator: this.propagator,
    })
  }

  /** The spans that have ended, in that order. */
  get spans(): readonly ReadableSpan[] {
    return this.#spans.getFinishedSpans()
  }

  /** The points of a metric; none when nothing was recorded. */
  async points(name: string): Promise<readonly Point[]> {
    this.#metrics.reset()
    await this.meterProvider.forceFlush()
    const metric = this.#metrics
      .getMetrics()
      .flatMap(({ scopeMetrics }) => scopeMetrics.flatMap(({ metrics }) => metrics))
      .find(({ descriptor }) => descriptor.name === name)
    // The kind of a metric is not known to the compiler: ours are counters and histograms.
    const points = (metric?.dataPoints ?? []) as readonly DataPoint<number | Histogram>[]
    return points.map(({ attributes, value }) =>
      typeof value === 'number'
        ? { attributes, count: value, sum: undefined }
        : { attributes, count: value.count, sum: value.sum },
    )
  }

  /** Runs `work` within a span of the program's own. */
  async inSpan<T>(name: string, work: () => Promise<T>): Promise<T> {
    const span = this.tracerProvider.getTracer('program').startSpan(name)
    try {
      return await context.with(trace.setSpan(context.active(), span), work)
    } finally {
      span.end()
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.instrumentation.stop()
    context.disable()
    await this.meterProvider.shutdown()
    await this.tracerProvider.shutdown()
  }
}
