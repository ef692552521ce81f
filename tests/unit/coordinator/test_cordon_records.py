"""The cordons of a cluster without a scheduler."""

from pathlib import Path

import pytest

from sickbay.coordinator.cordon_records import StoredCordonRecords
from sickbay.coordinator.sqlite_store import open_sqlite
from sickbay.core.ids import NodeName
from sickbay.orchestrators.records import CordonRecord, RecordsError

N1 = NodeName("n1")
CORDON = CordonRecord(node=N1, reason="sickbay:inc-1:gpu-lost", at=4.0)


async def test_a_cordon_outlives_the_coordinator(tmp_path: Path):
    store = open_sqlite(tmp_path / "s.db")
    await StoredCordonRecords(store, ()).save(CORDON)
    await store.close()
    store = open_sqlite(tmp_path / "s.db")
    records = StoredCordonRecords(store, (await store.load()).cordons)
    assert await records.load(N1) == CORDON
    assert await records.load_all() == {N1: CORDON}
    await records.remove(N1)
    await records.remove(N1)
    assert await records.load(N1) is None
    assert (await store.load()).cordons == ()
    await store.close()


async def test_what_could_not_be_stored_is_not_so(tmp_path: Path):
    store = open_sqlite(tmp_path / "s.db")
    records = StoredCordonRecords(store, ())
    await store.close()
    with pytest.raises(RecordsError, match="closed"):
        await records.save(CORDON)
    assert await records.load(N1) is None
