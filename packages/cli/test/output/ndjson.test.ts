import { describe, expect, it } from 'vitest'
import { ndjsonLine } from '../../src/output/ndjson.ts'
import { anEvent } from '../an-event.ts'

describe('ndjsonLine', () => {
  it('has the keys of the output contract', () => {
    const record = JSON.parse(ndjsonLine(anEvent())) as Record<string, unknown>
    expect(record).toMatchObject({
      v: 1,
      id: '5c9d1f6e-0a4e-4b3f-9d2b-6b0f3f6a7c11',
      service: 'nova',
      type: 'compute.instance.create.end',
      phase: 'end',
      priority: 'info',
      publisher: 'compute.compute1',
      resource: { id: '178b0921-8f85-4257-88b6-2e743b5a975c', name: 'web-1' },
      request_id: 'req-5b6c791d-5709-4f36-8fbe-c3e02869e35d',
      envelope: '2.0',
      transport: {
        exchange: 'nova',
        routing_key: 'notifications.info',
        queue: 'hermod.tap.0a1b2c3d',
        redelivered: false,
      },
    })
    expect(record).toHaveProperty('received_at')
    expect(record).toHaveProperty('project_id')
    expect(record).toHaveProperty('user_id')
    expect(record).toHaveProperty('payload')
    expect(record).toHaveProperty('context')
  })

  it('is one line that steers no terminal, whatever a tenant calls things', () => {
    const name = 'a\u001b[2J\n\u009b31m\u202e\u2028'
    const line = ndjsonLine(anEvent({ name }))
    expect(line.indexOf('\n')).toBe(line.length - 1)
    // oxlint-disable-next-line no-control-regex -- control characters are what this is about
    expect(line.slice(0, -1)).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028-\u202e]/)
    expect((JSON.parse(line) as { resource: { name: string } }).resource.name).toBe(name)
  })

  it('writes the digits of big integers', () => {
    const digits = '123456789012345678901234567890'
    const event = anEvent({ payload: { big: 'DIGITS' }, edit: (json) => json.replace('"DIGITS"', digits) })
    expect(ndjsonLine(event)).toContain(`"big":${digits}`)
  })
})
