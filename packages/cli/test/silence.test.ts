import { describe, expect, it } from 'vitest'
import { explainSilence } from '../src/silence.ts'
import { FakeTap } from './fake-tap.ts'

const { facts } = new FakeTap()

describe('explainSilence', () => {
  it('names what is bound and why nothing may come', () => {
    const text = explainSilence(facts, false).join('\n')
    expect(text).toContain('2 exchanges (nova, neutron)')
    expect(text).toContain('notifications.*, versioned_notifications.*')
    expect(text).toContain("'messagingv2'")
    expect(text).toContain('notification_format')
  })

  it('blames the filters when events came', () => {
    const text = explainSilence({ ...facts, received: 7 }, true).join('\n')
    expect(text).toContain('7 events came')
    expect(text).not.toContain('messagingv2')
  })

  it('suspects the virtual host when no exchange is there', () => {
    const missingExchanges = Array.from({ length: 20 }, (_, index) => `exchange${index}`)
    const text = explainSilence({ ...facts, bindings: [], missingExchanges }, false).join('\n')
    expect(text).toContain('virtual host')
    expect(text).toContain('exchange11 and 8 more')
  })
})
