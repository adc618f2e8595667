"""A database with one schema per region, all alike, each with a login of its own: what templated schemas are for."""

from dataclasses import dataclass, replace
from typing import Any

from basejump_common.contracts.connection import (
    CREATE_CONNECTION,
    CreateConnection,
    CreateDatabase,
    CreatedDatabase,
    DatabaseType,
    Schema,
)
from basejump_common.security.secret import Secret
from connection_house import READER_PASSWORD, Office
from customers import AnyCustomer, Customers
from mariadb import DOCUMENTED_ROLE
from mariadb import READER_PASSWORD as MARIADB_PASSWORD

PEOPLE = {"eu": ("Ann", "Bo", "Cy"), "us": ("Dee", "Ed")}
CITIES = {"eu": "Oslo", "us": "Boston"}
EMPTY = "create schema shop"

_TABLES = """
create table {schema}.office (id integer primary key, city varchar(40) not null);
create table {schema}.employee (
    id integer primary key, full_name varchar(40) not null, office_id integer not null,
    foreign key (office_id) references {schema}.office (id));
insert into {schema}.office values (1, '{city}');
insert into {schema}.employee values {people}
"""
_POSTGRES_LOGIN = """
create role {login} login noinherit password '{password}';
grant usage on schema {schema} to {login}; grant select on all tables in schema {schema} to {login}
"""


@dataclass(frozen=True)
class Regions:
    """`template` is the name of the schemas; in the index they are called `logical`."""

    customers: Customers
    customer: AnyCustomer
    prefix: str

    @property
    def template(self) -> str:
        return f"{self.prefix}{{{{region}}}}"

    @property
    def logical(self) -> str:
        return f"{self.prefix}_region"

    def schema(self, region: str) -> str:
        return f"{self.prefix}_{region}"

    def login(self, region: str) -> str:
        return f"{self.customer.name}_{region}"

    def schemas(self, region: str) -> tuple[Schema, ...]:
        return (Schema(schema_nm=self.template, jinja_values={"region": f"_{region}"}),)

    def as_login(self, region: str) -> AnyCustomer:
        """The customer whose reader is that login."""
        customer: Any = self.customer
        found: AnyCustomer = replace(customer, reader=self.login(region))
        return found

    async def log_in_as(self, region: str, login: str) -> None:
        """Make a login that may read the region's schema."""
        schema, is_postgres = self.schema(region), self.customers.engine is DatabaseType.POSTGRES
        password = self.password.reveal().replace("'", "''").replace("\\", "\\" if is_postgres else "\\\\")
        if is_postgres:
            await self.customer.execute(_POSTGRES_LOGIN.format(login=login, schema=schema, password=password))
            return
        reader = f"'{login}'@'%'"
        made = DOCUMENTED_ROLE.format(reader=reader, password=f"'{password}'", database=self.customer.name)
        await self.customer.execute(made)
        await self.customer.execute(f"grant select, show view on `{schema}`.* to {reader}")

    async def add_table(self, region: str, name: str) -> None:
        """A table that the region's login may read."""
        table = f"{self.schema(region)}.{name}"
        await self.customer.execute(f"create table {table} (id integer primary key)")
        if self.customers.engine is DatabaseType.POSTGRES:
            await self.customer.execute(f"grant select on {table} to {self.login(region)}")

    @property
    def password(self) -> Secret:
        return Secret(READER_PASSWORD if self.customers.engine is DatabaseType.POSTGRES else MARIADB_PASSWORD)

    def database(self, region: str, **changes: Any) -> CreateDatabase:
        """The database by the login of one region."""
        given = {"username": self.login(region), "password": self.password, "schemas": self.schemas(region)}
        return self.customers.fields(self.customer, **(given | changes))

    def connection(self, created: CreatedDatabase, region: str, **changes: Any) -> CreateConnection:
        """One more login of it."""
        given: dict[str, Any] = {"db_uuid": created.db_uuid, "username": self.login(region)}
        given |= {"password": self.password, "schemas": self.schemas(region)}
        return CreateConnection(**(given | changes))


async def regional(customers: Customers) -> Regions:
    """A database of its own with a schema and a login for each region."""
    is_postgres = customers.engine is DatabaseType.POSTGRES
    customer = await customers.customer(EMPTY if is_postgres else "select 1")
    regions = Regions(customers, customer, "hr" if is_postgres else f"{customer.name}_hr")
    for region, people in PEOPLE.items():
        schema = regions.schema(region)
        rows = ", ".join(f"({number}, '{name}', 1)" for number, name in enumerate(people, start=1))
        await customer.execute(f"create schema {schema}")
        await customer.execute(_TABLES.format(schema=schema, city=CITIES[region], people=rows))
        await regions.log_in_as(region, regions.login(region))
    return regions


async def both_regions(office: Office, regions: Regions) -> dict[str, CreatedDatabase]:
    """The database with both logins, each indexed."""
    eu = await office.add(regions.database("eu"), grant=False)
    return {"eu": eu, "us": await one_more(office, eu, regions.connection(eu, "us"))}


async def one_more(office: Office, created: CreatedDatabase, request: CreateConnection) -> CreatedDatabase:
    """Another connection of the database, once it is indexed."""
    added = await office.admin.call(CREATE_CONNECTION, request)
    await office.indexed(created.db_uuid)
    return CreatedDatabase(
        conn_uuid=added.conn_uuid,
        db_uuid=created.db_uuid,
        database_name_alias=created.database_name_alias,
        warnings=added.warnings,
    )
