import { stringifyJson } from '@hermod/kernel'
import { PRIORITIES, readEnvelope } from '@hermod/messaging'
import { describe, expect, it } from 'vitest'
import { eventSample, maskSecrets, sampledEventTypes } from '../src/index.ts'
import { samples } from './samples.ts'

describe('eventSample', () => {
  it('gives what nova sent for an instance', () => {
    expect(eventSample('compute.instance.create.end')).toMatchObject({
      eventType: 'compute.instance.create.end',
      exchange: 'nova',
      priority: 'info',
      publisherId: expect.stringMatching(/^compute\./) as unknown,
      payload: { state: 'active', message: 'Success' },
      context: { request_id: expect.stringMatching(/^req-/) as unknown },
    })
  })

  it('gives each type that was seen, whole but for its secrets', () => {
    const seen = samples.map(({ body }) => readEnvelope(body).message)
    expect(sampledEventTypes()).toEqual([...new Set(seen.map((m) => m['event_type'] as string))].toSorted())
    for (const message of seen) {
      const sample = eventSample(message['event_type'] as string)
      expect(PRIORITIES).toContain(sample?.priority)
      expect(sample?.payload).toEqual(maskSecrets(message['payload']!).value)
    }
    expect(stringifyJson(eventSample('scheduler.select_destinations.start'))).not.toContain('gAAAAA')
  })

  it.each(['nothing.of.the.kind', '__proto__', ''])('gives nothing for %j', (type) => {
    expect(eventSample(type)).toBeUndefined()
  })
})
