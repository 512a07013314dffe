"""The table of doors: every way by which somebody might see an entry before it is published, or a change before it is decided.

A new door is a row. ``{…}`` in a row is filled in from the world of ``test_doors.py``: what a curious person may have guessed or
been told (ids, names, words of the title), but has no right to see.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Door:
    """One request. ``opens_to``: who must see a secret through it, or the row proves nothing: ``reviewer`` (the authority),
    ``editor`` (of the department), or ``public`` (whoever asks sees what is published: nobody sees what is not)."""

    url: str
    opens_to: str
    body: dict[str, Any] | None = None

    @property
    def name(self) -> str:
        return f"{self.url} {self.body or ''}".strip()


def action(called: str, opens_to: str = "reviewer", /, **body: Any) -> Door:
    return Door(f"/api/3/action/{called}", opens_to, body=body)


SEARCHES = [
    action("package_search", q="{word}", include_private=True),
    action("package_search", "public", q="{word}"),
    action("package_search", q="title:{word}", include_private=True),
    action("package_search", "public", q="title:{word}"),
    action("package_search", q="{note}", include_private=True),
    action("package_search", "public", q="{note}"),
    action("package_search", q="{item}", include_private=True),
    action("package_search", "public", q="{item}"),
    action("package_search", q="name:{name}", include_private=True),
    action("package_search", "public", q="name:{name}"),
    action("package_search", q="{code_quoted}", include_private=True),
    action("package_search", "public", q="{code_quoted}"),
    action("package_search", "public", q="{pending_word}"),
    action("package_search", "public", q="*:*", rows=1000),
    action("package_search", q="*:*", rows=1000, include_private=True),
    action("package_search", q="*:*", rows=1000, include_private=True, include_drafts=True, include_deleted=True),
    action("package_search", fq="capacity:private", include_private=True),
    action("package_search", fq="+owner_org:{org_id}", include_private=True),
    action("package_search", fq="+permission_labels:*", include_private=True),
    action("package_search", fq_list=["id:{id}"], include_private=True),
    action(
        "package_search",
        include_private=True,
        **{"facet.field": ["theme", "organization", "res_format", "tags", "name"], "facet.limit": -1},
    ),
    action("package_search", q="*:*", fl="id,name,title,notes,data_dict,validated_data_dict", include_private=True),
    action("package_search", q="*:*", use_default_schema=True, include_private=True),
    action("package_search", "public", q="*:*", sort="title_sort asc", defType="lucene"),
    Door("/dataset/?q={word}", "reviewer"),
    Door("/dataset/", "reviewer"),
    Door("/dataset/?theme={theme}", "reviewer"),
    Door("/organization/{org}?q={word}", "reviewer"),
    Door("/organization/{org}", "reviewer"),
    Door("/api/3/action/package_search?q={word}&include_private=true", "reviewer"),
    Door("/api/2/util/dataset/autocomplete?incomplete={word}", "public"),
    Door("/api/2/util/resource/format_autocomplete?incomplete=z", "public"),
    Door("/api/2/util/tag/autocomplete?incomplete={word}", "public"),
]

ENTRIES = [
    action("package_show", id="{id}"),
    action("package_show", id="{name}"),
    action("package_show", id="{id}", use_default_schema=True),
    action("package_show", "public", id="{pending_id}"),
    action("package_show", "public", id="{pending_id}", include_plugin_data=True),
    action("package_list", "public", limit=1000),
    action("current_package_list_with_resources", "public", limit=1000),
    action("package_autocomplete", "public", q="{word}", limit=100),
    action("package_autocomplete", "public", q="{name}", limit=100),
    action("package_relationships_list", "public", id="{id}"),
    action("package_collaborator_list", "public", id="{id}"),
    action("dataset_follower_count", "public", id="{id}"),
    action("dataset_follower_list", "public", id="{id}"),
    action("am_following_dataset", "public", id="{id}"),
    action("follow_dataset", "public", id="{id}"),
    action("mulu_entry_history", "public", id="{pending_id}"),
    action("mulu_entry_history", "public", id="{id}"),
    action("mulu_entry_check", "public", entry={"title": "{word}", "resource_code": "{code}"}),
    Door("/dataset/{id}", "reviewer"),
    Door("/dataset/{name}", "reviewer"),
    Door("/dataset/edit/{id}", "editor"),
    Door("/dataset/resources/{id}", "public"),
    Door("/dataset/groups/{id}", "reviewer"),
    Door("/dataset/followers/{id}", "public"),
    Door("/dataset/activity/{id}", "public"),
    Door("/dataset/collaborators/{id}", "public"),
    Door("/dataset/{id}/history", "public"),
    Door("/dataset/{pending_id}", "public"),
    Door("/dataset/edit/{pending_id}", "editor"),
    Door("/mulu/entry/{id}/class", "public"),
    Door("/mulu/entry/{pending_id}/class", "public"),
    Door("/dataset/{id}?format=json", "reviewer"),
]

RESOURCES = [
    action("resource_show", id="{resource}"),
    action("resource_show", "public", id="{pending_resource}"),
    action("resource_view_list", "public", id="{resource}"),
    action("resource_search", "public", query="name:{resource_word}"),
    action("resource_search", "public", query=["url:{host}"]),
    action("resource_search", "public", query="format:zqy"),
    action("format_autocomplete", "public", q="zq", limit=100),
    action(
        "resource_create_default_resource_views",
        "public",
        resource={"id": "{resource}", "package_id": "{id}", "url": "x"},
    ),
    action("datastore_search", "public", resource_id="{resource}"),
    action("datastore_info", "public", id="{resource}"),
    Door("/dataset/{id}/resource/{resource}", "reviewer"),
    Door("/dataset/{id}/resource/{resource}/download", "reviewer"),
    Door("/dataset/{id}/resource/{resource}/download/{file}", "reviewer"),
    Door("/dataset/{pending_id}/resource/{resource}/download/{file}", "public"),
    Door("/dataset/{pending_id}/resource/{resource}", "public"),
    Door("/dataset/{pending_id}/resource/{pending_resource}", "public"),
    Door("/dataset/{pending_id}/resource/{pending_resource}/download/{pending_file}", "public"),
    Door("/dataset/{id}/resource/{resource}/views", "public"),
    Door("/dataset/{id}/resource/{resource}/view", "public"),
    Door("/datastore/dump/{resource}", "public"),
    Door("/uploads/{resource}", "public"),
]

PEOPLE_AND_DEPARTMENTS = [
    action("organization_show", "editor", id="{org}", include_datasets=True, include_dataset_count=True),
    action("organization_list", "public", all_fields=True, include_dataset_count=True, include_extras=True),
    action("organization_list_for_user", "public", id="{editor}", include_dataset_count=True),
    action("group_list", "public", all_fields=True, type="organization"),
    action("group_package_show", "public", id="{org}", limit=1000),
    action("group_show", "public", id="{org}", include_datasets=True),
    action("member_list", "public", id="{org}", object_type="package"),
    action("user_show", "public", id="{editor}", include_datasets=True, include_num_followers=True),
    action("user_list", "public", all_fields=True),
    action("tag_list", "public", all_fields=True),
    action("tag_list", "public", query="{word}"),
    action("tag_search", "public", query="{word}"),
    action("tag_autocomplete", "public", query="{word}"),
    action("tag_show", "public", id="{theme}", include_datasets=True),
    action("status_show", "public"),
    action("site_read", "public"),
    Door("/organization/about/{org}", "public"),
    Door("/organization/bulk_process/{org}", "public"),
    Door("/organization/members/{org}", "public"),
    Door("/organization/", "public"),
    Door("/user/{editor}", "public"),
    Door("/dashboard/datasets", "public"),
    Door("/", "public"),
]

FEEDS = [
    Door("/feeds/dataset.atom", "public"),
    Door("/feeds/organization/{org}.atom", "public"),
    Door("/feeds/custom.atom?q={word}", "public"),
    Door("/feeds/custom.atom?organization={org}", "public"),
    Door("/feeds/tag/{theme}.atom", "public"),
    Door("/catalog.xml", "public"),
    Door("/catalog.ttl", "public"),
    Door("/catalog.jsonld", "public"),
    Door("/catalog.xml?q={word}", "public"),
    Door("/catalog.ttl?fq=capacity:private", "public"),
    Door("/catalog.jsonld?modified_since=2000-01-01", "public"),
    Door("/dataset/{id}.xml", "reviewer"),
    Door("/dataset/{id}.ttl", "reviewer"),
    Door("/dataset/{id}.jsonld", "reviewer"),
    Door("/dataset/{name}.rdf", "reviewer"),
    Door("/dataset/{id}/croissant.jsonld", "public"),
    Door("/dataset/{pending_id}.ttl", "public"),
    Door("/dataset/{pending_id}.jsonld?profiles=schemaorg", "public"),
    Door("/dcat.json", "public"),
    Door("/sitemap.xml", "public"),
    Door("/robots.txt", "public"),
    action("dcat_dataset_show", "reviewer", id="{id}", format="ttl"),
    action("dcat_dataset_show", "public", id="{pending_id}", format="jsonld"),
    action("dcat_catalog_show", "public", format="ttl"),
    action("dcat_catalog_search", "public", format="ttl", q="{word}"),
    action("dcat_datasets_list", "public"),
]

CASES = [
    action("mulu_case_list"),
    action("mulu_case_list", q="{word}"),
    action("mulu_case_list", org="{org}", limit=1000),
    action("mulu_case_list", subject_id="{id}"),
    action("mulu_case_list", mine=True),
    action("mulu_inbox"),
    action("mulu_case_show", id="{case}"),
    action("mulu_case_show", id="{pending_case}"),
    action("mulu_case_show", id="{class_case}"),
    action("mulu_case_event", "public", id="{case}", event="submit", data={}),
    action("mulu_case_event", "public", id="{pending_case}", event="publish", data={}),
    action("mulu_case_batch", "public", ids=["{case}", "{pending_case}"], event="return_to_editor", data={}),
    action(
        "mulu_case_open", "public", procedure="classification_change", subject={"type": "entry", "id": "{id}"}, data={}
    ),
    action(
        "mulu_case_open",
        "public",
        procedure="catalogue_review",
        subject={"type": "entry", "id": "{name}"},
        data={"kind": "new"},
    ),
    action("mulu_snapshot", "public"),
    Door("/mulu/inbox", "reviewer"),
    Door("/mulu/cases", "reviewer"),
    Door("/mulu/cases?q={word}", "reviewer"),
    Door("/mulu/case/{case}", "reviewer"),
    Door("/mulu/case/{pending_case}", "reviewer"),
    Door("/mulu/import", "public"),
    Door("/mulu/cases/export.csv", "reviewer"),
    Door("/mulu/cases/export.xlsx", "public"),
    Door("/mulu/entry/{id}/history", "public"),
    Door("/mulu/entry/{pending_id}/history", "public"),
    Door("/api/3/action/mulu_case_list?q={word}", "reviewer"),
]

DOORS = [*SEARCHES, *ENTRIES, *RESOURCES, *PEOPLE_AND_DEPARTMENTS, *FEEDS, *CASES]

WAYS_AROUND = [
    action("package_patch", id="{id}", private=False),
    action("package_patch", id="{id}", state="deleted"),
    action("package_revise", match={"id": "{id}"}, update={"private": False}),
    action("package_update", id="{id}", title="{word}", private=False, owner_org="{org_id}"),
    action("bulk_update_public", datasets=["{id}"], org_id="{org_id}"),
    action("bulk_update_private", datasets=["{pending_id}"], org_id="{org_id}"),
    action("bulk_update_delete", datasets=["{id}", "{pending_id}"], org_id="{org_id}"),
    action("package_owner_org_update", id="{id}", organization_id="{other_org_id}"),
    action("package_delete", id="{id}"),
    action("package_delete", id="{pending_id}"),
    action("dataset_purge", id="{id}"),
    action("dataset_purge", id="{pending_id}"),
    action("package_collaborator_create", id="{id}", user_id="{stranger}", capacity="editor"),
    action("package_relationship_create", subject="{id}", object="{pending_id}", type="depends_on"),
    action("member_create", id="{other_org_id}", object="{id}", object_type="package", capacity="public"),
    action("package_resource_reorder", id="{pending_id}", order=["{public_resource}"]),
    action(
        "package_update", id="{pending_id}", title="被改的题名", owner_org="{other_org_id}", private=True, state="draft"
    ),
    action("package_patch", id="{pending_id}", title="被改的题名"),
    action("package_patch", id="{pending_id}", private=True),
    action("package_patch", id="{pending_id}", name="renamed"),
    action("resource_patch", id="{public_resource}", url="http://changed.example/"),
    action("resource_delete", id="{public_resource}"),
]
"""Requests of CKAN's own that would change what the public sees; whoever sends them, the public must see what it saw before."""
