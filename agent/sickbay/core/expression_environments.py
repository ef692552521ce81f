"""Environments that expressions are compiled in, shared among kinds of signals.

What costs memory is not an expression (5 kB) but the first one that is compiled in an environment (117 kB
with it), and an environment for each kind would take 7 MB of an agent that should weigh 60. An environment of
more variables is no slower, neither to compile in nor to evaluate.
"""

from collections.abc import Mapping

from cel_expr_python import cel

Variables = Mapping[str, cel.Type]


def shared_environments(declared: Mapping[str, Variables]) -> Mapping[str, cel.Env]:
    """Kind -> an environment with the kind's own variables, each of its own type, and others beside."""
    groups: list[dict[str, cel.Type]] = []
    group_of = {kind: _joined(groups, declared[kind]) for kind in sorted(declared)}
    environments = [cel.NewEnv(variables=group) for group in groups]
    return {kind: environments[group] for kind, group in group_of.items()}


def _joined(groups: list[dict[str, cel.Type]], variables: Variables) -> int:
    """The first group in which no variable has another type, with these variables added to it."""
    for number, group in enumerate(groups):
        if all(group.get(name, type_) == type_ for name, type_ in variables.items()):
            group.update(variables)
            return number
    groups.append(dict(variables))
    return len(groups) - 1
