"""Asks for each URL on standard input, all in one session, and prints the answer and the cookies that are held then."""

import sys

import requests

with requests.Session() as session:
    for url in sys.stdin:
        answer = session.get(url.strip(), timeout=20)
        answer.raise_for_status()
        print(answer.text, *sorted(session.cookies.keys()), flush=True)
