"""Write the JSON Schemas of rules, remedies, platform profiles and configuration to rules/schema/.

Run it after changing what a file may hold; `--check` writes nothing and exits 1 when a file has drifted.
"""

import argparse
import json
import sys
from pathlib import Path

from sickbay.coordinator.config import CoordinatorConfig
from sickbay.coordinator.policy_file import PolicyFile
from sickbay.core.case_schema import cases_schema
from sickbay.core.schemas import Schema, platforms_schema, remedies_schema, rules_schema
from sickbay.host.config_schemas import config_schema
from sickbay.node.config import AgentConfig

FOLDER = Path(__file__).resolve().parent.parent / "rules" / "schema"


def schemas() -> dict[str, Schema]:
    """Each file of the folder, and what it must hold."""
    return {
        "rules": rules_schema(),
        "remedies": remedies_schema(),
        "platforms": platforms_schema(),
        "cases": cases_schema(),
        "policy": config_schema(PolicyFile, "a policy in a file of its own"),
        "agent": config_schema(AgentConfig, "the agent's configuration"),
        "coordinator": config_schema(CoordinatorConfig, "the coordinator's configuration and policy"),
    }


def main() -> None:
    """Write them, or tell which have drifted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 on drift")
    check = parser.parse_args().check
    drifted = []
    for name, schema in schemas().items():
        path, text = FOLDER / f"{name}.schema.json", json.dumps(schema, indent=1) + "\n"
        if check:
            drifted += [] if path.exists() and path.read_text() == text else [path.name]
        else:
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
    if drifted:
        sys.exit(f"drifted: {', '.join(drifted)}; run python tools/generate_schemas.py")


if __name__ == "__main__":
    main()
