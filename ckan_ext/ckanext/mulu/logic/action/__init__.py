"""The actions, by what they are about. ``ACTIONS`` are ours, ``CHAINED`` stand before CKAN's own."""

from ckanext.mulu.logic.action import (
    applications,
    batch,
    cases,
    catalogue,
    grants,
    harvest,
    imports,
    notices,
    organisations,
    overview,
    packages,
    receipts,
    resources,
)

ACTIONS = {
    name: function
    for module in (applications, batch, cases, catalogue, grants, harvest, imports, notices, overview, receipts)
    for name, function in vars(module).items()
    if name.startswith("mulu_")
}
CHAINED = {
    "package_create": packages.package_create,
    "package_update": packages.package_update,
    "package_show": packages.package_show,
    "package_delete": packages.package_delete,
    "member_list": packages.member_list,
    "organization_update": organisations.organization_update,
    "resource_show": resources.resource_show,
    "resource_search": resources.resource_search,
    "resource_create": resources.resource_create,
    "resource_update": resources.resource_update,
    "resource_delete": resources.resource_delete,
}
