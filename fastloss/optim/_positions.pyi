from typing import final

@final
class Positions: ...
