"""What a request asks for, one file per noun. A function here calls one method of a service and answers.

It is named by a row of `routes.py`. Its signature is its contract, from which the OpenAPI document is made as well: `call` first, then
the parameters of the path as `str`, then `body` and `query` (records of the domain or of this file), then what it returns.
"""
