package dev.crowdlab.core;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import org.junit.jupiter.api.Test;

class LimitedMapTest {

  @Test
  void forgetsWhatIsOldest() {
    assertThat(filled(LimitedMap.byAge(2))).containsOnlyKeys("b", "c");
  }

  @Test
  void forgetsWhatWasNotUsedForTheLongestTime() {
    assertThat(filled(LimitedMap.byUse(2))).containsOnlyKeys("a", "c");
  }

  private static Map<String, Integer> filled(Map<String, Integer> map) {
    map.put("a", 1);
    map.put("b", 2);
    assertThat(map.get("a")).isEqualTo(1);
    map.put("c", 3);
    return map;
  }
}
