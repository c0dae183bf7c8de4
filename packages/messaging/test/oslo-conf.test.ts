import { describe, expect, it } from 'vitest'
import { parseConf } from '../src/index.ts'

describe('references', () => {
  const conf = parseConf(
    [
      '[DEFAULT]',
      'my_ip = 192.0.2.7',
      'port = 5672',
      'plain = $my_ip:$port',
      'braces = ${my_ip}x',
      'money = $$x \\$y $1 $ z$',
      'other = $grp.name and ${grp.name}',
      'nested = <$plain>',
      'lost = a$unknown_word',
      'lost_braces = ${grp.unknown}',
      'greedy = $my_ip.',
      'loop = $loop',
      'ping = $pong',
      'pong = $ping',
      'password = hun$ter2',
      'transport_url = rabbit://u:hun$ter2@h/',
      'case = $MY_IP',
      '[GRP]',
      'name = n1',
      'port = 1',
      'own = $port $my_ip',
    ].join('\n'),
    'nova.conf',
  )

  it.each([
    ['DEFAULT', 'plain', '192.0.2.7:5672'],
    ['DEFAULT', 'braces', '192.0.2.7x'],
    ['DEFAULT', 'money', '$x $y $1 $ z$'],
    ['DEFAULT', 'other', 'n1 and n1'],
    ['DEFAULT', 'nested', '<192.0.2.7:5672>'],
    ['grp', 'own', '1 192.0.2.7'],
  ])('[%s] %s', (section, name, value) => {
    expect(conf.get(section, name)).toBe(value)
  })

  it.each([
    [
      'lost',
      "nova.conf:9: option 'lost' of [DEFAULT] refers to '$unknown_word' that the file does not set (a dollar sign itself is written $$)",
    ],
    [
      'lost_braces',
      "nova.conf:10: option 'lost_braces' of [DEFAULT] refers to '$grp.unknown' that the file does not set (a dollar sign itself is written $$)",
    ],
    [
      'greedy',
      "nova.conf:11: option 'greedy' of [DEFAULT] refers to '$my_ip.' that the file does not set (a dollar sign itself is written $$)",
    ],
    [
      'case',
      "nova.conf:17: option 'case' of [DEFAULT] refers to '$MY_IP' that the file does not set (a dollar sign itself is written $$)",
    ],
    ['loop', "nova.conf:12: option 'loop' of [DEFAULT] refers to itself"],
    ['ping', "nova.conf:13: option 'ping' of [DEFAULT] refers to itself"],
  ])('%s is refused when it is asked for', (name, message) => {
    expect(() => conf.get('DEFAULT', name)).toThrow(expect.objectContaining({ code: 'E_CONFIG', message }))
  })

  it.each(['password', 'transport_url'])('names no part of a secret in %s', (name) => {
    expect(() => conf.get('DEFAULT', name)).toThrow('refers to an option that the file does not set')
    expect(() => conf.get('DEFAULT', name)).not.toThrow('ter2')
  })

  it('are resolved in every value of a repeated option', () => {
    expect(parseConf('[DEFAULT]\na = 1\nb = $a\nb = x$a').getAll('DEFAULT', 'b')).toEqual(['1', 'x1'])
  })
})

describe('typed values', () => {
  const conf = parseConf(
    [
      '[s]',
      'yes = Yes',
      'on = 1',
      'off = OFF',
      'count = 60',
      'minus = -1',
      'list = a, b ,,c ',
      'empty =',
      'odd = maybe',
      'half = 1.5',
    ].join('\n'),
    'x.conf',
  )

  it('are converted', () => {
    expect(conf.getBoolean('s', 'yes')).toBe(true)
    expect(conf.getBoolean('s', 'on')).toBe(true)
    expect(conf.getBoolean('s', 'off')).toBe(false)
    expect(conf.getInteger('s', 'count')).toBe(60)
    expect(conf.getInteger('s', 'minus')).toBe(-1)
    expect(conf.getList('s', 'list')).toEqual(['a', 'b', 'c'])
    expect(conf.getList('s', 'empty')).toEqual([])
    expect(conf.getChoice(['YES', 'NO'], 's', 'yes')).toBe('YES')
  })

  it('are absent where the file says nothing', () => {
    expect(conf.get('s', 'none')).toBeUndefined()
    expect(conf.get('t', 'none')).toBeUndefined()
    expect(conf.getBoolean('s', 'none')).toBeUndefined()
    expect(conf.getInteger('s', 'none')).toBeUndefined()
    expect(conf.getList('s', 'none')).toBeUndefined()
    expect(conf.getChoice(['a'], 's', 'none')).toBeUndefined()
  })

  it('are looked for under each name in turn', () => {
    expect(conf.get('s', 'none', 'count', 'minus')).toBe('60')
  })

  it('name file, line, section and option when they are wrong, not the value', () => {
    expect(() => conf.getBoolean('s', 'none', 'odd')).toThrow(
      "x.conf:9: option 'odd' of [s] is neither true nor false",
    )
    expect(() => conf.getInteger('s', 'half')).toThrow("x.conf:10: option 'half' of [s] is no integer")
    expect(() => conf.getInteger('s', 'empty')).toThrow('is no integer')
    expect(() => conf.getChoice(['PLAIN', 'EXTERNAL'], 's', 'odd')).toThrow(
      "x.conf:9: option 'odd' of [s] is none of PLAIN, EXTERNAL",
    )
  })
})
