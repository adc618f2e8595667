"""Words that mean the same, and how people shorten them in identifiers; beside `vocabulary`, all the English there is.

Phrases are lower case, words apart by one space, alternatives apart by `|`. Nothing here names a particular database.
"""

from __future__ import annotations

from basejump_planner.vocabulary import phrases_in, words_in

SYNONYMS = [
    phrases_in(line)
    for line in """
employee | staff | worker | staff member | personnel | member of staff | workforce | people work here
employee | people who work here | people working here | people employed | people are employed | people work for us
customer | client | buyer | shopper | consumer
product | goods | item | merchandise | article
company | enterprise | firm | business | corporation
country | nation
region | district | area
city | town
department | division
job | occupation | position | role | profession
salary | wage | pay | compensation
first name | forename | given name
last name | surname | family name
address | location
location | place | position | site
film | movie
song | track | music
document | file
type | category | kind | class
date | day
phone | telephone | phone number | telephone number | cellphone | mobile
teacher | instructor | faculty | professor | lecturer
student | pupil
course | curriculum | class | lesson
school | college | university
campus | university
details | information | detail
gender | sex
price | cost
shop | store
author | writer
doctor | physician
airport | aerodrome
aircraft | airplane | plane | aeroplane
ship | vessel | boat
station | terminal
player | participant | competitor
actor | performer
title | name
headquarters | head office | headquarter
nationality | nation
color | colour
theme | topic | subject
major | discipline
rating | score
points | score
dependent | dependant | family member
child | kid
manager | boss | supervisor | head
pilot | aviator
trip | tour | journey
route | path
program | programme
catalog | catalogue
dorm | dormitory
classroom | class room | schoolroom
zip code | postal code | zip | postcode | zip postal code
postal | zip
email | e mail | email address | mail address
method | way
problem | issue | trouble
population | number of people | inhabitants
capacity | number of seats
hometown | birthplace | birth place | home town
appointment | reservation
booking | reservation
part | component
theme | motif
elevation | altitude
result | outcome
competition | contest | match | tournament
railway | railroad
advisor | adviser
driver | chauffeur
journalist | reporter
delegate | representative
committee | board
weight | mass
height | stature
characteristic | feature | attribute
origin | starting point
destination | end point
order | purchase
invoice | bill
payment | transaction
supplier | vendor
team | group | club
person | people | individual
member | participant
start date | begin date | beginning date
end date | finish date | ending date
hire date | date of hire | hiring date | start date
birth date | date of birth | birthday
state | province
quantity | amount | number
revenue | amount of income | turnover
patient | sick person
house | home
car | vehicle | automobile
policy | insurance
book | publication
paper | article
artist | musician | singer
album | record
fee | charge
year | years
abbreviation | short name
winery | wine producer
grape | grape variety
""".strip().splitlines()
]

ABBREVIATIONS = {
    "fname": "first name", "lname": "last name", "firstname": "first name", "lastname": "last name",
    "mname": "middle name", "dept": "department", "emp": "employee", "num": "number", "no": "number",
    "nbr": "number", "qty": "quantity", "amt": "amount", "addr": "address", "tel": "telephone",
    "desc": "description", "descr": "description", "mgr": "manager", "dob": "date of birth",
    "apt": "apartment", "cust": "customer", "prod": "product", "avg": "average", "min": "minimum",
    "max": "maximum", "lat": "latitude", "long": "longitude", "lng": "longitude", "pct": "percent",
    "acc": "account", "acct": "account", "org": "organization", "loc": "location", "yr": "year",
    "temp": "temperature", "bldg": "building", "hq": "headquarters", "pwd": "password", "cat": "category",
    "gpa": "gpa", "hrs": "hours", "hr": "hour", "pop": "population", "sq": "square", "ft": "feet",
    "std": "standard", "stu": "student", "crs": "course", "prof": "professor", "instr": "instructor",
    "sched": "schedule", "msg": "message", "img": "image", "ref": "reference", "info": "information",
    "stat": "status", "init": "initial", "mi": "middle initial", "fk": "", "pk": "", "tbl": "",
    "ids": "id", "identifier": "id",
}  # fmt: skip
# Words that often end or begin identifiers run together, like `departmentname`.
COMMON_PARTS = words_in(
    "id name code number date type time year first last middle full title status description"
    " address city state country phone email price cost amount total start end birth home job zip"
    " order count rate per of by in is to day month key index percent class level size color"
    " region gender age salary location building room school team player student department"
    " points score rank position away high low long short"
)
# Endings of column names that people leave out: "department" for department_code, "hired" for hire_date.
GENERIC_ENDINGS = words_in("date time year code id number name count amount in of dollars usd percent text value at on")
# Words that leave too little of a column's name when its ending is left out: "first" isn't first_name.
NOT_ALONE = words_in("first last middle full start end min max minimum maximum average total home away new old")
# Column names that say nothing without the table they belong to.
GENERIC_NAMES = words_in(
    "name id code title type date description details number status key year time text value kind category label"
)
