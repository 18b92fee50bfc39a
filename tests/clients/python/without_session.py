"""Asks for each URL on standard input, each on its own, and prints the answer and the cookies that came with it."""

import sys

import requests

for url in sys.stdin:
    answer = requests.get(url.strip(), timeout=20)
    answer.raise_for_status()
    print(answer.text, *sorted(answer.cookies.keys()), flush=True)
