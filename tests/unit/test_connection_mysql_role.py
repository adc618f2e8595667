"""SHOW GRANTS as MySQL and MariaDB write it: what is more than reading, and nothing of a password."""

import pytest

from basejump_connection_indexer.adapters.mysql.role import risks, risks_in
from basejump_connection_indexer.domain.session import Query, Row

HASHED = "GRANT USAGE ON *.* TO `r`@`%` IDENTIFIED BY PASSWORD '*B079AAEF' REQUIRE SSL"


@pytest.mark.parametrize(
    "line",
    [
        "GRANT USAGE ON *.* TO `r`@`%`",
        HASHED,
        "GRANT SELECT, SHOW VIEW ON `shop`.* TO `r`@`%`",
        "GRANT SELECT (`a`, `b ON c`), SELECT (`d`) ON `shop`.`t` TO `r`@`%`",
        "GRANT SELECT ON `WITH GRANT OPTION`.* TO `WITH GRANT OPTION`@`%`",
        "GRANT `reader`@`%`,`other`@`%` TO `r`@`%`",
        "GRANT `nested` TO `role`",
        "SET DEFAULT ROLE `role` FOR `r`@`%`",
        "REVOKE INSERT ON `mysql`.* FROM `r`@`%`",
    ],
)
def test_reading_is_no_risk(line: str) -> None:
    assert risks_in([line]) == ()


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("GRANT ALL PRIVILEGES ON *.* TO `root`@`%` WITH GRANT OPTION", "has ALL PRIVILEGES on *.*"),
        ("GRANT SELECT, INSERT (`a`), FILE ON *.* TO `r`@`%`", "has INSERT, FILE on *.*"),
        ("GRANT BACKUP_ADMIN,CLONE_ADMIN ON *.* TO `r`@`%`", "has BACKUP_ADMIN, CLONE_ADMIN on *.*"),
        ("GRANT EXECUTE ON PROCEDURE `shop`.`p` TO `r`@`%`", "has EXECUTE on PROCEDURE shop.p"),
        ("GRANT DELETE ON `a`` ON b`.`c TO d` TO `r`@`%`", "has DELETE on a ON b.c TO d"),
        ("GRANT SELECT ON `shop`.* TO `r`@`%` WITH GRANT OPTION", "may grant to others what it has on shop.*"),
        ("GRANT PROXY ON ``@`` TO `r`@`%`", "has a grant that isn't about tables"),
        ("GRANT something new", "has a grant that isn't about tables"),
    ],
)
def test_what_is_more_is_said(line: str, says: str) -> None:
    assert risks_in([HASHED, line, line])[0] == says
    assert "B079AAEF" not in str(risks_in([HASHED, line]))


@pytest.mark.parametrize(
    ("granted", "asked"),
    [
        ("GRANT `a`@`%`,`b`@`h` TO `r`@`%`", ["show grants for current_user() using `a`@`%`, `b`@`h`"]),
        ("GRANT `a` TO `r`@`%`", ["set role `a`", "show grants"]),
        ("GRANT `a` TO `b`", []),
    ],
)
async def test_roles_are_asked_about_in_the_way_of_either_server(granted: str, asked: list[str]) -> None:
    seen = []

    async def fetch(query: Query) -> list[Row]:
        seen.append(query[0])
        return [(granted,)] if len(seen) == 1 else [("GRANT DELETE ON `shop`.* TO `a`",)]

    assert await risks(fetch) == (("has DELETE on shop.*",) if asked else ())
    assert seen == ["show grants", *asked]
