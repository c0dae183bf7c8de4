import type { Field, FieldData } from './field.ts'

type TypeClass = 'int' | 'float' | Field['type']

/**
 * Types that hold values of one kind: integers of any width (and decimals) are one class, floats another.
 * @source rabbit_misc:type_class
 */
export function typeClass(type: Field['type']): TypeClass {
  switch (type) {
    case 'byte':
    case 'short':
    case 'signedint':
    case 'long':
    case 'decimal':
    case 'unsignedbyte':
    case 'unsignedshort':
    case 'unsignedint':
      return 'int'
    case 'float':
    case 'double':
      return 'float'
    default:
      return type
  }
}

/** Whether two values are equal as Erlang's `==` sees it: numbers by value, everything else by content. */
export function sameData(a: FieldData, b: FieldData): boolean {
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) {
    // An integer may be a bigint on one side alone; only a loose comparison sees their values.
    return typeof a === typeof b ? a === b : isNumber(a) && isNumber(b) && a == b
  }
  if (a instanceof Map && b instanceof Map) return sameFields([...a], [...b])
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((item, i) => sameField(item as Field, b[i] as Field))
  }
  if ('scale' in a && 'scale' in b) {
    return a.scale === b.scale && a.digits === b.digits
  }
  return false
}

const isNumber = (value: FieldData): boolean => typeof value === 'number' || typeof value === 'bigint'

/** Whether type and value are the same. */
export function sameField(a: Field, b: Field): boolean {
  return a.type === b.type && sameData(a.value, b.value)
}

/** Whether two tables hold the same fields in the same order: to Erlang they are lists. */
function sameFields(a: readonly (readonly [string, Field])[], b: typeof a): boolean {
  return (
    a.length === b.length &&
    a.every(([name, field], at) => {
      const [otherName, other] = b[at] as (typeof b)[number]
      return name === otherName && sameField(field, other)
    })
  )
}
