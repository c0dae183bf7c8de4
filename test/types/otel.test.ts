import type { ConnectionDiagnostics } from '@hermod/amqp'
import type { DispatchDiagnostics, SendDiagnostics, TransportDiagnostics } from '@hermod/messaging'
import type {
  Instrumentation,
  ObservedConnection,
  ObservedDispatch,
  ObservedSend,
  ObservedTransport,
} from '@hermod/otel'
import { describe, expectTypeOf, it } from 'vitest'

describe('what @hermod/otel reads of the diagnostics channels', () => {
  it('is what they publish', () => {
    expectTypeOf<SendDiagnostics>().toExtend<ObservedSend>()
    expectTypeOf<DispatchDiagnostics>().toExtend<ObservedDispatch>()
    expectTypeOf<TransportDiagnostics>().toExtend<ObservedTransport>()
    expectTypeOf<ConnectionDiagnostics>().toExtend<ObservedConnection>()
  })

  it('lacks nothing that they publish of a message', () => {
    expectTypeOf<keyof ObservedSend>().toEqualTypeOf<keyof SendDiagnostics>()
    expectTypeOf<keyof ObservedDispatch>().toEqualTypeOf<keyof DispatchDiagnostics>()
    expectTypeOf<ObservedDispatch['within']>().toEqualTypeOf<DispatchDiagnostics['within']>()
  })

  it('knows every event of a transport and of a connection by its name', () => {
    expectTypeOf<ObservedTransport['event']['type']>().toEqualTypeOf<TransportDiagnostics['event']['type']>()
    expectTypeOf<ObservedConnection['status']['type']>().toEqualTypeOf<
      ConnectionDiagnostics['status']['type']
    >()
  })

  it('is stopped with the scope that began it', () => {
    expectTypeOf<Instrumentation>().toExtend<Disposable>()
  })
})
