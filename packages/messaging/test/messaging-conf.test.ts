import { describe, expect, it } from 'vitest'
import {
  controlExchangeFromConf,
  notificationTopicsFromConf,
  parseConf,
  transportUrlFromConf,
} from '../src/index.ts'

const NOTHING = parseConf('', 'nova.conf')

const urlOf = (text: string): string => transportUrlFromConf(parseConf(text, 'nova.conf')).unmasked()

describe('transportUrlFromConf', () => {
  it('prefers the URL of notifications', () => {
    expect(
      urlOf(
        '[DEFAULT]\ntransport_url = rabbit://a/\n[oslo_messaging_notifications]\ntransport_url = rabbit://b/',
      ),
    ).toBe('rabbit://b/')
  })

  it.each([
    '',
    '\n[oslo_messaging_notifications]\ntransport_url =',
    '\n[oslo_messaging_notifications]\ntopics = x',
  ])('falls back to [DEFAULT]%j', (more) => {
    expect(urlOf(`[DEFAULT]\ntransport_url = rabbit://a/${more}`)).toBe('rabbit://a/')
  })

  it('falls back to rabbit:// where the file names none', () => {
    expect(transportUrlFromConf(NOTHING)).toMatchObject({ driver: 'rabbit', hosts: [], virtualHost: '' })
    expect(urlOf('[DEFAULT]\ntransport_url =')).toBe('rabbit:///')
  })

  it('knows the former option of notifications', () => {
    expect(urlOf('[DEFAULT]\ntransport_url = rabbit://a/\nnotification_transport_url = rabbit://b/')).toBe(
      'rabbit://b/',
    )
  })

  it('resolves references and folded lines', () => {
    expect(
      urlOf('[DEFAULT]\nmy_ip = 192.0.2.7\ntransport_url = rabbit://u:p@$my_ip:5672,\n  u:p$$@h2:5672//'),
    ).toBe('rabbit://u:p@192.0.2.7:5672,u:p%24@h2:5672//')
  })

  it('names file and option of a URL that is none, not the URL', () => {
    const conf = parseConf('[DEFAULT]\ntransport_url = rabbit://u:hunter2/x@h:5672/', 'nova.conf')
    expect(() => transportUrlFromConf(conf)).toThrow(
      expect.objectContaining({
        code: 'E_URL',
        message:
          "nova.conf: option 'transport_url': host 1 of the transport URL has a port that is no number from 1 to 65535 ('/', '?' and '#' in a password are written %2F, %3F and %23)",
      }),
    )
  })

  it('leaves a reference to nowhere what it is', () => {
    const conf = parseConf('[DEFAULT]\ntransport_url = rabbit://u:hun$ter2@h/', 'nova.conf')
    expect(() => transportUrlFromConf(conf)).toThrow(expect.objectContaining({ code: 'E_CONFIG' }))
  })
})

describe('topics and exchange', () => {
  it('are read', () => {
    const conf = parseConf(
      '[DEFAULT]\ncontrol_exchange = nova\n[oslo_messaging_notifications]\ntopics = notifications, versioned_notifications',
    )
    expect(notificationTopicsFromConf(conf)).toEqual(['notifications', 'versioned_notifications'])
    expect(controlExchangeFromConf(conf)).toBe('nova')
  })

  it('have the defaults of oslo.messaging', () => {
    expect(notificationTopicsFromConf(NOTHING)).toEqual(['notifications'])
    expect(controlExchangeFromConf(NOTHING)).toBeUndefined()
  })

  it('are known under the former name', () => {
    expect(notificationTopicsFromConf(parseConf('[DEFAULT]\nnotification_topics = a,b'))).toEqual(['a', 'b'])
  })
})
