import { parsePythonJson, stringifyJson } from '@hermod/kernel'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { membersOf } from '../src/argument-members.ts'

function read(...words: string[]): { json?: string; issues: readonly string[] } {
  const issues: string[] = []
  const source = membersOf(words, issues)
  return source.type === 'given' ? { json: stringifyJson(source.members), issues } : { issues }
}

describe('membersOf', () => {
  it.each([
    [[], '{}'],
    [['a=1'], '{"a":"1"}'],
    [['a:=1'], '{"a":1}'],
    [['a='], '{"a":""}'],
    [['a=b=c'], '{"a":"b=c"}'],
    [['a=b:=1'], '{"a":"b:=1"}'],
    [['a:b=c'], '{"a:b":"c"}'],
    [['url=https://host/?q=1'], '{"url":"https://host/?q=1"}'],
    [['big:=18446744073709551617'], '{"big":18446744073709551617}'],
    [['x:=NaN'], '{"x":"NaN"}'],
    [['list:=["a", {"b": null}]', 't:=true'], '{"list":["a",{"b":null}],"t":true}'],
    [['__proto__:={"polluted":1}', 'constructor=x'], '{"__proto__":{"polluted":1},"constructor":"x"}'],
  ])('reads %j as %s', (words, json) => {
    expect(read(...words)).toEqual({ json, issues: [] })
    expect(({} as { polluted?: number }).polluted).toBeUndefined()
  })

  it.each([
    [['word'], "'word' has no '='; write key=value for a text, key:=json for anything else"],
    [
      ['=x'],
      "an argument has no key before its '='; write key=value for a text, key:=json for anything else",
    ],
    [
      [':=1'],
      "an argument has no key before its '='; write key=value for a text, key:=json for anything else",
    ],
    [['a=1', 'a:=2'], "'a' is given twice"],
    [['a=1', '@file'], "'@file' stands for all arguments; give nothing beside it"],
    [['-', 'a=1'], "'-' stands for all arguments; give nothing beside it"],
    [['@'], "'@' needs a file behind it, for example @arguments.json"],
  ])('refuses %j', (words, issue) => {
    expect(read(...words).issues).toEqual([issue])
  })

  it('says where JSON ends being JSON, and never what it holds', () => {
    const { issues } = read('tags:=[1, hunter2]')
    expect(issues).toHaveLength(1)
    expect(issues[0]).toMatch(/^'tags:=' is not followed by JSON \(.+\); for a text write 'tags=...'$/)
    expect(issues[0]).not.toContain('hunter2')
  })

  it.each([
    ['@some/file.json', 'some/file.json'],
    ['-', '-'],
  ])('takes %s for all of them', (word, path) => {
    const issues: string[] = []
    expect(membersOf([word], issues)).toEqual({ type: 'file', path })
    expect(issues).toEqual([])
  })

  it('gives back any value under any key', () => {
    const key = fc.string({ minLength: 1 }).filter((text) => !/[=]/.test(text) && !text.endsWith(':'))
    fc.assert(
      fc.property(key, fc.jsonValue(), fc.string(), (name, value, text) => {
        const source = membersOf([`${name}:=${JSON.stringify(value)}`, `${name}2=${text}`], [])
        const expected = parsePythonJson(JSON.stringify(value))
        expect(source).toHaveProperty('members')
        const { members } = source as { members: Record<string, unknown> }
        expect(Object.getOwnPropertyDescriptor(members, name)?.value).toEqual(expected)
        expect(Object.getOwnPropertyDescriptor(members, `${name}2`)?.value).toBe(text)
      }),
    )
  })
})
