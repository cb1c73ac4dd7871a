#!/usr/bin/env python3
"""Checks a snapshot with DuckDB, an engine that shares no code with the package that wrote it.

    pip install duckdb
    python3 check_with_duckdb.py snapshots 2026-11-29

Reads the plan and the manifests of a run in a local folder, and compares the accounts in the Parquet files with them:
their number, and the digest of their ids, for each source. Exit code: 0 if the snapshot is complete and agrees.
"""

import glob
import hashlib
import json
import pathlib
import sys

import duckdb

# The version of the files that this script reads.
FORMAT = 1


def ids_digest(ids):
    """The sum of the first 16 bytes of the SHA-256 digests of the ids."""
    digests = (hashlib.sha256(id.encode()).digest()[:16] for id in ids)
    return "%032x" % (sum(int.from_bytes(digest, "big") for digest in digests) % 2**128)


def check_source(folder, source, plan_digest, con):
    """Returns the file of a source and its problems."""
    try:
        text = (folder / "manifest.json").read_text()
    except FileNotFoundError:
        return None, ["not collected"]
    sealed = json.loads(text)
    # The checksum is that of the manifest's text.
    manifest_text = text[text.index('"manifest":') + len('"manifest":') : text.rindex("}")]
    if hashlib.sha256(manifest_text.encode()).hexdigest() != sealed["sha256"]:
        return None, ["the manifest was changed"]
    manifest = sealed["manifest"]
    if sealed["format"] != FORMAT or manifest["format"] != FORMAT:
        return None, [f"the manifest has another format than {FORMAT}"]
    report, part = manifest["report"], manifest["part"]
    problems = []
    if manifest["plan"] != plan_digest or report["source"] != source:
        problems.append("the manifest belongs to another plan or source")
    if report["summary"]["completeness"]["state"] != "complete" or report["error"] is not None:
        problems.append(f"not complete: {report['summary']['completeness']}")
    file = folder / part["file"]
    if not file.exists() or file.stat().st_size != part["bytes"]:
        return None, [*problems, f"{part['file']} is missing or has another size than the manifest says"]
    file = glob.escape(str(file))
    rows = con.execute("select tenant, source, provider, id from read_parquet($1, hive_partitioning = false)", [file])
    rows = rows.fetchall()
    ids = [id for _, _, _, id in rows]
    if {(tenant, name, provider) for tenant, name, provider, _ in rows} - {tuple(source.values())}:
        problems.append("has accounts of another source")
    if len(ids) != part["rows"] or len(set(ids)) != len(ids):
        problems.append(f"{len(ids)} accounts, {len(set(ids))} distinct; the manifest says {part['rows']}")
    if ids_digest(ids) != part["ids"]:
        problems.append("other ids than the manifest says")
    return file, problems


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    run = pathlib.Path(sys.argv[1]) / f"run={sys.argv[2]}"
    plan_text = (run / "plan.json").read_bytes()
    plan = json.loads(plan_text)
    if plan["format"] != FORMAT:
        sys.exit(f"plan.json has format {plan['format']}; expected {FORMAT}")
    con = duckdb.connect()
    files, failed = [], 0
    for source in plan["sources"]:
        folder = run / f"tenant={source['tenant']}" / f"source={source['name']}"
        file, problems = check_source(folder, source, hashlib.sha256(plan_text).hexdigest(), con)
        files += [file] if file else []
        failed += bool(problems)
        for problem in problems:
            print(f"{source['tenant']}/{source['name']}: {problem}")
    if files:
        query = """select provider, count(distinct tenant) as tenants, count(*) as accounts,
                     count(distinct (tenant, source, id)) as distinct_accounts
                   from read_parquet($1, hive_partitioning = false) group by provider order by provider"""
        for row in con.execute(query, [files]).fetchall():
            print("%s: %d tenants, %d accounts, %d distinct" % row)
    print(f"{len(plan['sources']) - failed} of {len(plan['sources'])} sources complete, as DuckDB {duckdb.__version__} reads them")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
