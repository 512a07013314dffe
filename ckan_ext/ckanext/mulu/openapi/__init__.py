"""The action API and the public's API as one OpenAPI document; what it says is tested against the running portal."""
