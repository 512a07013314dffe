"""One run of ckanext-harvest on its own CKAN: run by the peer's Python, prints one JSON object.

    python harvest_once.py INI URL

Gather, fetch and import one after the other in one process; what its queue waits in between is left out.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from typing import Any

from ckan.cli import CKANConfigLoader
from ckan.config.middleware import make_app


def main() -> None:
    ini, url = sys.argv[1:3]
    app = make_app(CKANConfigLoader(ini).get_config())
    with app._wsgi_app.test_request_context():
        print(json.dumps(run(url)))


def run(url: str) -> dict[str, float]:
    import ckan.plugins.toolkit as tk
    from ckan import model
    from ckanext.harvest import queue
    from ckanext.harvest.model import HarvestJob, HarvestObject, HarvestSource

    user = tk.get_action("get_site_user")({"ignore_auth": True}, {})["name"]

    def call(action: str, **data: object) -> Any:
        return tk.get_action(action)({"user": user, "ignore_auth": True}, data)

    if model.Group.get("bench-org") is None:
        call("organization_create", name="bench-org", title="性能测量一局")
        call("harvest_source_create", name="bench-source", url=url, source_type="ckan", title="性能测量", owner_org="bench-org")
    source = HarvestSource.get(call("harvest_source_show", id="bench-source")["id"])
    source.url = url  # the address decides the state of the made-up portal
    model.Session.commit()
    job = HarvestJob.get(call("harvest_job_create", source_id=source.id)["id"])
    harvester = queue.get_harvester("ckan")
    start = time.perf_counter()
    job.status = "Running"
    job.gather_started = job.created
    ids = harvester.gather_stage(job) or []
    for one in ids:
        queue.fetch_and_import_stages(harvester, HarvestObject.get(one))
    seconds = time.perf_counter() - start
    job.status, job.finished, job.gather_finished = "Finished", job.created, job.created
    model.Session.commit()
    count = model.Session.query(model.Package).filter_by(type="dataset", state="active").count()
    return {"seconds": seconds, "objects": len(ids), "datasets": count, "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


if __name__ == "__main__":
    main()
