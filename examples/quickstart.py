"""From an API key to answers about a database, in nine calls of the REST API.

`make demo` runs this. To run it against an installation of your own, set BASE_URL (ending in /api/v1), API_KEY (a
client secret of role OWNER), HR_DEMO_DB_USER, HR_DEMO_DB_PASSWORD, DEMO_DB_HOST, DEMO_DB_PORT and HR_DEMO_DB_NAME;
`make run` writes them all to .basejump/dev.env.
"""

import os
import sys
from typing import Any

import requests

BASE_URL = os.environ.get("BASE_URL", "http://127.0.0.1:8000/api/v1")
WAIT_SECONDS = 130  # a little longer than the server lets a question take

QUESTIONS = (
    "How many employees are there?",
    "What is the average salary by department?",
    "Which 5 employees earn the most?",
    "How many dependents does each employee have?",
    "Which employees work in the IT department?",
    "Will the company make a profit next year?",
)


def call(method: str, path: str, headers: dict[str, str], **sent: Any) -> dict[str, Any]:
    """One call; the script ends with the server's own explanation when it is refused."""
    response = requests.request(method, BASE_URL + path, headers=headers, timeout=WAIT_SECONDS, **sent)
    if response.status_code != 200:
        sys.exit(f"{method} {path} answered {response.status_code}: {response.text}")
    found: dict[str, Any] = response.json()
    return found


def sign_in(api_key: str) -> tuple[str, dict[str, str]]:
    """A new ADMIN user, and the header that carries its access token."""
    secret = {"client-secret": api_key}
    user = call("POST", "/account/user/", secret, params={"username": "quickstart", "role": "ADMIN"})
    me = {"user_uuid": user["user_uuid"]}
    refresh = call("POST", "/auth/token/", secret, params=me)
    bearer = {"Authorization": f"Bearer {refresh['refresh_token']}"}
    access = call("POST", "/auth/access-token/", bearer, params=me)
    return user["user_uuid"], {"Authorization": f"Bearer {access['access_token']}"}


def connect_database(headers: dict[str, str]) -> dict[str, Any]:
    """Add the demo database; indexing begins while we go on."""
    database = {
        "database_type": "postgres",
        "host": os.environ["DEMO_DB_HOST"],
        "port": int(os.environ["DEMO_DB_PORT"]),
        "database_name": os.environ["HR_DEMO_DB_NAME"],
        "username": os.environ["HR_DEMO_DB_USER"],
        "password": os.environ["HR_DEMO_DB_PASSWORD"],
        "ssl_mode": "require",
        "schemas": [{"schema_nm": "hr_demo_db"}],
        "database_desc": "The people of a small company, their jobs and departments.",
        "data_source_desc": "A login that may only read.",
    }
    return call("POST", "/connection/database/", headers, json=database)


def open_chat(user_uuid: str, conn_uuid: str, headers: dict[str, str]) -> str:
    """A team that may query the connection, the user in it, and a chat of theirs."""
    team = call("POST", "/account/team/", headers, params={"team_name": "quickstart"})["team_uuid"]
    call("POST", f"/connection/{conn_uuid}/team/", headers, json={"team_uuids": [team]})
    call("POST", f"/account/user/{user_uuid}/team/{team}/", headers)
    chat: str = call("POST", f"/chat/team/{team}/", headers)["chat_uuid"]
    return chat


def converse(chat_uuid: str, headers: dict[str, str]) -> None:
    """Ask, and print what comes back: the words, and the SQL that they rest on."""
    for question in QUESTIONS:
        message = call("POST", f"/chat/{chat_uuid}/message/", headers, json={"prompt": question})
        print(f"\n  you       {question}")
        print(f"  basejump  {indented(message['content'])}")
        if message.get("sql_query"):
            print(f"  sql       {indented(message['sql_query'])}")


def indented(text: str) -> str:
    """Later lines below the first."""
    return text.strip().replace("\n", "\n" + " " * 12)


def main() -> None:
    """The whole way."""
    user_uuid, headers = sign_in(os.environ["API_KEY"])
    connection = connect_database(headers)
    chat_uuid = open_chat(user_uuid, connection["conn_uuid"], headers)
    print(f"Connected to {connection['database_name_alias']} at {BASE_URL}")
    converse(chat_uuid, headers)


if __name__ == "__main__":
    main()
