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
award prize
winner win won victor
budget fund finance
expense expenditure cost
profit gain income revenue
hire employ recruit
born birth
died death dead
capacity size
volume amount
surname last family
forename given
nationality citizenship country
website site url
picture photo image
comment remark note
document file paper
event occasion
festival fair
conference meeting
project program programme
contract agreement
policy insurance
loan credit lending
bank branch
transaction transfer
discount reduction rebate
tax duty vat
category class group
brand make manufacturer
model version
engine motor
speed velocity
distance length range
station stop
airport airfield
airline carrier
train railway
driver motorist
crew team staff
hospital clinic
nurse caregiver
treatment therapy procedure
appointment visit
exam test assessment
lesson class course
degree diploma
enroll enrollment enrolment register registration
major specialization specialty
library collection
magazine journal periodical
newspaper press
review rating opinion
genre style
director filmmaker
actor actress cast performer
channel station broadcaster
episode show series program
theater theatre stage
museum gallery
exhibition exhibit
party faction
election vote ballot
president head leader
judge jury
crime offence offense
police officer
apartment flat residence
building structure house
property estate
farm ranch
weather climate
temperature heat
river stream
lake pond
island isle
forest wood
temple church
religion faith
ethnicity race
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
