"""The English the planner knows, in one place: cues, synonyms, measurable adjectives, abbreviations.

Phrases are lower case, words apart by one space, alternatives apart by `|`. Nothing here names a particular database.
"""

from __future__ import annotations

from typing import Literal, TypeVar

Aggregate = Literal["avg", "sum", "max", "min"]
Direction = Literal["asc", "desc"]
Operator = Literal["=", "<>", ">", ">=", "<", "<="]
Phrase = tuple[str, ...]
T = TypeVar("T")


def phrases_in(text: str) -> list[Phrase]:
    """The phrases of a text, apart by `|`."""
    return [tuple(part.split()) for part in text.split("|") if part.strip()]


def _cues(*rows: tuple[T, str]) -> dict[Phrase, T]:
    return {phrase: meaning for meaning, text in rows for phrase in phrases_in(text)}


def words_in(text: str) -> frozenset[str]:
    """The words of a text."""
    return frozenset(text.split())


# --- words without content of their own ------------------------------------------------------------------

OPENERS = _cues(
    (
        True,
        "please | can you | could you | would you | show | show me | list | list out | list down"
        " | find | find out | find me | tell me | give | give me | return | display | get | get me"
        " | fetch | print | report | provide | retrieve | what is | what are | what was | what were"
        " | which are | which is | who is | who are | who were | i want | i want to know"
        " | i would like to know | i need | let me know | do you know | which | what | who"
        " | i want to see | see | tell | identify | select | look up | compute | calculate"
        " | determine | name | state | are | is | what can you tell me about | how much is"
        " | how high is | how large is | how big is | also | us | me | the | a | an | all | all of"
        " | all the | every | any | list of | a list of | the list of | out | whose | answer",
    )
)
ARTICLES = words_in("the a an all of any some every their its his her our this these those respective corresponding")
# Words that only tie phrases together; skipping them can't change what is asked.
GLUE = words_in(
    "either respective exactly among across the a an all of for in on at to from by with that"
    " which who whom whose is are was were be been being has have had do does did there any some"
    " their its his her it they he she them this these those please our we us you me and , ; : as"
    " also respectively corresponding given currently"
)
# Verbs that say no more than that two things belong together.
RELATION_VERBS = words_in(
    "work works working worked live lives living lived belong belongs belonging belonged locate"
    " located situated based come comes coming contain contains contained exist exists own owns"
    " owned owning offer offers offered found associated related linked assigned get gets hold"
    " holds held use uses used using involved involve available recorded listed stored registered"
    " employ employs employed appear appears appeared lie lies happen happened take takes taken"
    " took play plays played originate made make makes produced produce produces given give"
)
# Verbs of ordinary life that tie two tables, or a row and a value, together; alone they'd say more than that.
ACTION_VERBS = words_in(
    "teach teaches teaching taught study studies studied studying enroll enrolls enrolled"
    " enrolling enrol register registered registers attend attends attended attending participate"
    " participates participated participating join joins joined receive receives received treat"
    " treats treated process processed processes submit submits submitted supply supplies"
    " supplied sell sells sold buy buys bought order ordered rent rents rented reserve reserved"
    " provide provides provided stay stays stayed visit visits visited write writes wrote written"
    " publish publishes published direct directs directed manage manages managed run runs sponsor"
    " sponsors sponsored host hosts hosted operate operates operated create creates created build"
    " builds built design designs designed win wins won earn earned lead leads led head heads"
    " headed report reports reported record recorded perform performs performed sing sings sang"
    " sung star stars starred act acts acted drive drives drove driven fly flies flew compete"
    " competes competed represent represents represented support supports supported serve serves"
    " served advise advises advised share shares shared correspond corresponds corresponding"
    " exhibit exhibits exhibited release releases released ship ships shipped deliver delivers"
    " delivered place places placed send sends sent affect affects affected claim claims claimed"
    " cover covers covered purchase purchases purchased raise raises raised review reviews"
    " reviewed rate rates rated complete completed post posts posted open opens opened launch"
    " launched found founded establish established come grew graduate graduated major majoring"
    " majored born die died occur occurs occurred describe describes described mention mentions"
    " mentioned shown"
)
# Verbs between two rows of one table: whom "reports to King" is about, King's own row doesn't tell.
PERSONAL_TIES = words_in(
    "report reports reported reporting manage manages managed managing lead leads led work works worked working"
    " advise advises advised teach teaches taught"
)
# States that a row is in or not: integers called so are flags, never quantities.
STATES = words_in(
    "active inactive discontinued archived deleted cancelled canceled verified enabled disabled locked closed"
    " approved retired blocked banned featured expired suspended"
)
# What businesses measure: where no column is called so, it is no misspelt name of somebody or something.
FIGURES = words_in(
    "revenue revenues sales turnover profit profits income earnings spending expenses margin margins loss losses growth"
    " performance percentage share trend trends forecast"
)
HERE = _cues(
    (
        True,
        "in the database | in our database | in the system | in total | altogether | overall | here"
        " | on record | on file | in all | in the data | in this database | in the company"
        " | in our company",
    )
)

SEPARATORS = _cues(
    (
        True,
        "and | , | , and | & | as well as | , as well as | along with | together with | and also"
        " | plus | and the corresponding | with corresponding | with the corresponding | , along with"
        " | , together with | with their | and their",
    )
)
OWNERS = words_in("of for from in on by among across")

# --- what is computed ------------------------------------------------------------------------------------

COUNT = _cues(
    (
        True,
        "how many | number of | numbers of | total number of | count of | total count of | count"
        " | count number of | count the number of | count the total number of | count the | counts of"
        " | quantity of | the number of | the total number of | the count of | overall number of"
        " | the overall number of | headcount of | size of the set of | tally of",
    )
)
DISTINCT = _cues((True, "distinct | different | unique | various | differing | distinctive"))
AGGREGATES: dict[Phrase, Aggregate] = _cues(
    ("avg", "average | mean | avg | average value of | average of | mean of | mean value of | typical | on average"),
    (
        "sum",
        "total | sum | total amount of | sum of | total sum of | total of | combined | summed"
        " | total value of | overall | gross | sum total of | cumulative | how much total"
        " | the sum of | total combined",
    ),
    (
        "max",
        "maximum | max | highest | largest | greatest | biggest | maximal | top | maximum value of"
        " | maximum of | highest value of",
    ),
    ("min", "minimum | min | lowest | smallest | least | minimal | minimum value of | minimum of | lowest value of"),
)

# --- conditions ------------------------------------------------------------------------------------------

COMPARISONS: dict[Phrase, Operator] = _cues(
    (
        ">",
        "more than | greater than | higher than | larger than | bigger than | above | over"
        " | exceeding | exceeds | exceed | in excess of | longer than | taller than | > | surpassing"
        " | more expensive than | greater | higher | better than | bigger | upwards of",
    ),
    (
        ">=",
        "at least | no less than | not less than | no fewer than | a minimum of | minimum of | >="
        " | greater than or equal to | more than or equal to | not below | not under | no lower than"
        " | higher than or equal to | at minimum",
    ),
    (
        "<",
        "less than | fewer than | lower than | smaller than | below | under | shorter than | <"
        " | cheaper than | lower | beneath",
    ),
    (
        "<=",
        "at most | no more than | not more than | up to | <= | less than or equal to | a maximum of"
        " | maximum of | not exceeding | not above | not over | no higher than"
        " | fewer than or equal to | lower than or equal to",
    ),
    ("=", "equal to | equals | equal | exactly | = | the same as | precisely"),
    (
        "<>",
        "not equal to | other than | not | different from | does not equal | != | <> | is not"
        " | are not | was not | isn't",
    ),
)
OR_MORE: dict[Phrase, Operator] = _cues(
    (">=", "or more | or above | or greater | or higher | or over | or older | or later | and above | and over"),
    ("<=", "or less | or fewer | or below | or lower | or younger | or under | or earlier"),
)
TIME_COMPARISONS: dict[Phrase, Operator] = _cues(
    (">", "after | later than | more recently than | following"),
    ("<", "before | earlier than | prior to"),
    (">=", "since | starting from | from | on or after"),
    ("<=", "until | through | on or before | up until"),
    ("=", "in | during | on | in the year | in year | dated"),
)
BETWEEN = _cues(
    (True, "between | in between | from | ranging from | in the range | in the range of | in the range from")
)
NAMED = _cues(
    (
        True,
        "named | called | titled | with name | whose name is | with the name | entitled"
        " | by the name of | with the name of | whose title is | with the title | known as | name is"
        " | name",
    )
)
CONTAINS = _cues(
    (
        "%{}%",
        "containing | contains | contain | includes | include | including | that contains"
        " | containing the word | contains the word | contain the word | includes the word"
        " | including the word | containing the substring | contains the substring"
        " | containing the letter | contains the letter | contain the letter | include the word"
        " | with the word | has the word | have the word | with the substring | has the substring"
        " | have the substring | contains the string | containing the string | contain the substring"
        " | include the substring | includes the substring | with substring | the word"
        " | has a substring | with the letter | have the letter | has the letter"
        " | containing the phrase",
    ),
    (
        "{}%",
        "starting with | starts with | start with | beginning with | begins with | begin with"
        " | starting with the letter | starts with the letter | start with the letter"
        " | beginning with the letter | begins with the letter | begin with the letter"
        " | starts with letter | begin with letter",
    ),
    ("%{}", "ending with | ends with | end with | ending in | ends in | ending with the letter | ends with the letter"),
)
MISSING = _cues((True, "null | missing | unknown | empty | not known | not set | unset | not given"))
WITHOUT = _cues(
    (
        True,
        "without | without any | do not have | do not have any | does not have | does not have any"
        " | have no | has no | with no | that do not have | who do not have | having no"
        " | did not have any | had no | lacking | have never | has never | had never | never"
        " | do not belong to any | are not in any | is not in any | who have no | that have no"
        " | not having any | have not any | have never had | do not own | do not own any"
        " | does not own any",
    )
)
WHOLE_ROWS = _cues(
    (
        True,
        "information about | information on | information of | information for | details of"
        " | details about | details on | details for | everything about | all columns of"
        " | all the columns of | all fields of | full details of | records of | all records of"
        " | rows of | everything known about | data about | data on | data of | record of | details"
        " | information | complete information about",
    )
)

# --- grouping and ordering -------------------------------------------------------------------------------

EACH = _cues(
    (
        True,
        "for each | per | by | in each | of each | by each | for every | in every | of every | each"
        " | every | grouped by | group by | broken down by | across each | for each of the"
        " | for each different | at each | on each | from each | within each | with each | to each"
        " | under each | split by | having each | in each of the | breakdown by | for every single"
        " | according to each | separately for each | for each distinct | of each different"
        " | in each different | of each of the | by different | for each individual | for each unique"
        " | by every",
    )
)
ORDER = _cues(
    (
        True,
        "sorted by | ordered by | order by | sort by | sorted in | ordered in | ranked by"
        " | in order of | in the order of | arranged by | sorted | ordered | order them by"
        " | sort them by | sort the results by | order the results by | listed by | in order by"
        " | sorted according to | ordered according to | sort the list by | and order by"
        " | arranged in | sort results by | and sort them by | sort them in | rank them by"
        " | order them in | sorted alphabetically by | sort in | order in | sort the results in"
        " | and sort by | ranked in | sorted from",
    )
)
DIRECTIONS: dict[Phrase, Direction] = _cues(
    (
        "asc",
        "ascending order | ascending | asc | increasing order | alphabetical order"
        " | lexicographical order | lexicographic order | ascending alphabetical order"
        " | alphabetic order | ascending order alphabetically | alphabetically | from a to z"
        " | from low to high | from lowest to highest | from smallest to largest | from least to most"
        " | from the lowest to the highest | low to high | lowest first"
        " | ascending lexicographical order | alphabetically ascending order"
        " | from smallest to biggest | from the smallest to the largest | chronological order"
        " | chronologically | lowest to highest | from early to late | from earliest to latest"
        " | from earliest to most recent | from the earliest to the latest | from old to new"
        " | in alphabetical order | in ascending order | in chronological order | in increasing order"
        " | from youngest to oldest | from shortest to longest | from the youngest to the oldest"
        " | from oldest to most recent | from the oldest to the most recent | the ascending order"
        " | smallest first | earliest first | oldest first",
    ),
    (
        "desc",
        "descending order | descending | desc | decreasing order | reverse alphabetical order"
        " | reverse order | descending alphabetical order | from high to low | from highest to lowest"
        " | from largest to smallest | from most to least | from z to a | decreasing"
        " | from the highest to the lowest | high to low | highest first"
        " | descending alphabetic order | highest to lowest | from biggest to smallest"
        " | from the largest to the smallest | from latest to earliest | from late to early"
        " | from most recent to earliest | from new to old | reverse lexicographical order"
        " | in descending order | in decreasing order | in reverse alphabetical order"
        " | from oldest to youngest | from longest to shortest | from the most recent to the oldest"
        " | from the most recent to the earliest | most recent first | from most recent to oldest"
        " | from newest to oldest | from the oldest to the youngest | reversed alphabetical order"
        " | reversed order | the descending order | largest first | newest first | latest first",
    ),
)
MOST: dict[Phrase, Direction] = _cues(
    (
        "desc",
        "most | the most | the most number of | the largest number of | the greatest number of"
        " | the highest number of | largest number of | the maximum number of | greatest number of"
        " | highest number of | most number of | the most total | maximum number of"
        " | the biggest number of | the top number of | the largest amount of | the most amount of"
        " | the highest amount of",
    ),
    (
        "asc",
        "fewest | the fewest | the least number of | least number of | the smallest number of"
        " | the lowest number of | smallest number of | lowest number of | the fewest number of"
        " | fewest number of | the minimum number of | minimum number of | least | the least"
        " | the smallest amount of | the least amount of | the lowest amount of",
    ),
)
COMMON: dict[Phrase, Direction] = _cues(
    (
        "desc",
        "most common | most frequent | most popular | most frequently used | most commonly used"
        " | most frequently occurring | commonest | most often used | most widely used"
        " | the most often | most often | most frequently | the most frequently | most numerous"
        " | most prevalent | most used",
    ),
    (
        "asc",
        "least common | least popular | least frequent | rarest | least commonly used"
        " | least frequently used | least used",
    ),
)
SUPERLATIVES: dict[Phrase, Direction] = _cues(
    (
        "desc",
        "highest | largest | greatest | biggest | maximum | max | top | most | longest | latest"
        " | most recent | best | newest | maximal",
    ),
    ("asc", "lowest | smallest | least | minimum | min | shortest | earliest | fewest | minimal"),
)
AVERAGE_VALUE = _cues((True, "the average | average | the mean | mean"))


TIME_SUPERLATIVES: dict[Phrase, Direction] = _cues(
    ("desc", "most recently | last | latest | the latest | the most recently"),
    ("asc", "first | earliest | the earliest | least recently"),
)

_COUNTED = "zero|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen"
NUMBER_WORDS = {phrase[0]: str(number) for number, phrase in enumerate(phrases_in(_COUNTED))} | {
    "twenty": "20",
    "thirty": "30",
    "fifty": "50",
    "hundred": "100",
}
