"""The extension: thin. What may be done is asked of mulu; what is shown stands in templates; here is only what hangs where."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import ckan.plugins as p
import ckan.plugins.toolkit as tk
from ckan.lib.plugins import DefaultPermissionLabels, DefaultTranslation

from ckanext.mulu import cli, helpers, indexing, roles, views
from ckanext.mulu.logic import access, auth, validators
from ckanext.mulu.logic.action import ACTIONS, CHAINED
from mulu.visibility import viewer


@tk.blanket.config_declarations
class MuluPlugin(p.SingletonPlugin, DefaultTranslation, DefaultPermissionLabels):
    p.implements(p.IConfigurer)
    p.implements(p.IActions)
    p.implements(p.IAuthFunctions)
    p.implements(p.IValidators)
    p.implements(p.IPermissionLabels)
    p.implements(p.IPackageController, inherit=True)
    p.implements(p.ITemplateHelpers)
    p.implements(p.ITranslation)
    p.implements(p.IBlueprint)
    p.implements(p.IClick)
    p.implements(p.IFacets, inherit=True)

    def update_config(self, config: Any) -> None:
        tk.add_template_directory(config, "templates")
        tk.add_public_directory(config, "public")
        tk.add_resource("assets", "mulu")

    def get_actions(self) -> dict[str, Any]:
        return ACTIONS | CHAINED

    def get_auth_functions(self) -> dict[str, Any]:
        return auth.FUNCTIONS | (auth.DATASTORE if "datastore" in tk.config["ckan.plugins"] else {})

    def get_validators(self) -> dict[str, Any]:
        return {"mulu_credit_code": validators.mulu_credit_code}

    def get_helpers(self) -> dict[str, Any]:
        return {name: value for name, value in vars(helpers).items() if name.startswith("mulu_")}

    def get_blueprint(self) -> list[Any]:
        return [getattr(views, name) for name in views.__all__]

    def get_commands(self) -> list[Any]:
        return [cli.mulu]

    # Who sees which entry: mulu.visibility, for search and for auth alike.

    def get_dataset_labels(self, dataset_obj: Any) -> list[str]:
        return sorted(access.package_labels(dataset_obj))

    def get_user_dataset_labels(self, user_obj: Any) -> list[str]:
        return sorted(viewer(roles.person_of(user_obj)))

    # Search

    def before_dataset_search(self, search_params: dict[str, Any]) -> dict[str, Any]:
        return indexing.before_search(search_params)

    def before_dataset_index(self, pkg_dict: dict[str, Any]) -> dict[str, Any]:
        return indexing.before_index(pkg_dict)

    def dataset_facets(self, facets_dict: Any, package_type: str) -> Any:
        return OrderedDict(indexing.facets())

    def organization_facets(self, facets_dict: Any, organization_type: str, package_type: str | None) -> Any:
        return OrderedDict((name, title) for name, title in indexing.facets() if name != "organization")
