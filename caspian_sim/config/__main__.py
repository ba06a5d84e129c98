"""Write the JSON Schema of a configuration: ``python -m caspian_sim.config > configs/schema.json``."""

import json

from caspian_sim.config.export import json_schema

if __name__ == "__main__":
    print(json.dumps(json_schema(), indent=2, ensure_ascii=False))
