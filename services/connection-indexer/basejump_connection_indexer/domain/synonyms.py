"""Everyday words for the same thing, in the vocabulary of businesses; a light help, no thesaurus."""

from basejump_connection_indexer.domain.words import stem

_GROUPS = """
employee staff worker personnel colleague
department division unit dept
salary wage pay compensation earnings earn
customer client buyer shopper consumer
product item article goods merchandise
order purchase
price cost amount charge fee
invoice bill
supplier vendor provider
company firm business corporation enterprise organization organisation
city town
country nation
state province
region area territory zone
address location place
phone telephone mobile
email mail
date day time
year yr
birthday birth born dob
age old
sex gender
child children kid dependent
teacher instructor professor lecturer faculty
student pupil learner
course class subject
school college university
doctor physician
patient sick
illness disease
drug medicine medication
film movie
song track music
album record
singer artist musician performer
band group
author writer
book publication title
car vehicle automobile auto
flight plane aircraft airplane
ship vessel boat
hotel accommodation inn
room chamber
guest visitor
match game
team club squad
player athlete
manager boss supervisor head chief leader
job role occupation profession position
description detail details
quantity qty amount
begin start
end finish close
type kind category sort
rank ranking position
score point points rating grade mark
sale sales revenue sell sold
stock inventory
shipment delivery shipping
payment paid
account acct
user member
language tongue
height tall
length long
weight heavy
population inhabitants people resident
mountain peak
pet animal
owner own
"""

_ABBREVIATIONS = {
    "dept": "department",
    "emp": "employee",
    "empl": "employee",
    "cust": "customer",
    "prod": "product",
    "qty": "quantity",
    "amt": "amount",
    "num": "number",
    "addr": "address",
    "desc": "description",
    "mgr": "manager",
    "acct": "account",
    "org": "organization",
    "inv": "invoice",
    "tel": "telephone",
    "dob": "birthday",
    "stu": "student",
    "prof": "professor",
    "cat": "category",
    "loc": "location",
    "pos": "position",
    "ord": "order",
    "sal": "salary",
    "lang": "language",
    "trans": "transaction",
    "txn": "transaction",
}


def _table() -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    groups = [[stem(word) for word in line.split()] for line in _GROUPS.split("\n") if line]
    groups += [[stem(short), stem(word)] for short, word in _ABBREVIATIONS.items()]
    for group in groups:
        for word in group:
            found.setdefault(word, set()).update(group)
    return {word: frozenset(others - {word}) for word, others in found.items()}


SYNONYMS = _table()
"""Stem → stems that may mean the same."""
