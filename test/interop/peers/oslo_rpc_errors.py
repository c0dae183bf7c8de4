"""Exceptions of a service, which a client may allow to be rebuilt."""


class OutOfStock(Exception):
    def __init__(self, message, missing=0):
        super().__init__(message)
        self.kwargs = {"missing": missing}
        self.missing = missing
