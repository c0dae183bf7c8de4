/** Debian's own, which is the one that finds the Python libraries of the distribution. */
export const PYTHON = '/usr/bin/python3'
